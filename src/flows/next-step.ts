import { assertNever } from "../base/assert-never.ts";
import { isWrongCode } from "../outcomes/challenge.ts";
import type { Result } from "../outcomes/outcome.ts";
import { isTerminal, type JobState, type TerminalState } from "../outcomes/state.ts";
import type { Challenge } from "../challenges/challenge.ts";
import { END, type Flow, type Step } from "./flow.ts";
import { isFinal, type Onboarding, type OnboardingState, stepJobId } from "./onboarding.ts";
import type { Move } from "./onboarding-store.ts";

/** What is known of a job. */
export interface SeenJob {
  readonly id: string;
  readonly state: JobState;
  readonly reason: string | null;
  readonly result: Result | null;
  readonly replacedBy: string | null;
}

export interface SeenFacts {
  readonly now: number;
  /** The job that `onboarding.job` names; null: there is none. */
  readonly job: SeenJob | null;
  /** Only where a person is awaited: the challenge, and the verify that was begun last. */
  readonly challenge: Challenge | null;
  readonly verify: SeenJob | null;
  /** A code came before it was asked for. */
  readonly hasEarlyCode: boolean;
}

/** What to do for an onboarding, as it stands. */
export type NextStep =
  | { readonly kind: "nothing" }
  /** Look at it again then, ms. */
  | { readonly kind: "wait"; readonly until: number }
  /** Its step's job is to be made, as the intent in the onboarding says. */
  | { readonly kind: "enter" }
  /** This job, of its step, may have been recorded and never queued: queued twice, it is taken once. */
  | { readonly kind: "queue"; readonly job: string }
  /** The code that came early is given now. */
  | { readonly kind: "answer" }
  /** Its job is to end before it is taken, because somebody wants the onboarding to end. */
  | { readonly kind: "abandon" }
  | { readonly kind: "move"; readonly move: Move };

/** How often an onboarding is looked at, whose step is under way though nobody tells of it, ms. */
const LOOK_MS = 30_000;
/** After its deadline a challenge is looked at once a verify in the last moment has had its time, ms. */
const LATE_MS = 1_000;

/** The decision, as a pure function: what follows from how its step's job stands. */
export function nextStep(flow: Flow, onboarding: Onboarding, seen: SeenFacts): NextStep {
  const step = flow.steps[onboarding.step];
  if (isFinal(onboarding.state) && !isTriedAgain(onboarding, step, seen)) return { kind: "nothing" };
  if (step === undefined)
    return end(onboarding, "failed", `this version's ${flow.name} has no step of that name`, seen);
  return step.code === undefined ? afterCall(flow, onboarding, step, seen) : afterCode(flow, onboarding, step, seen);
}

/** The same for one of a flow that only another version knows: it can be cancelled, and nothing else. */
export function cancelStrange(onboarding: Onboarding, seen: SeenFacts): NextStep {
  const { job, verify, now } = seen;
  const under = [verify, job].find((one) => one !== null && !isTerminal(one.state));
  if (under === undefined || under === null) return end(onboarding, "cancelled", onboarding.cancel, seen);
  return under === job && job.state !== "active" ? { kind: "abandon" } : { kind: "wait", until: now + LOOK_MS };
}

/** Whether it failed by a job that somebody gave its attempts back, or that came to another end since. */
function isTriedAgain({ state }: Onboarding, step: Step | undefined, { job, verify }: SeenFacts): boolean {
  const decider = step?.code === undefined ? job : verify;
  return state === "failed" && decider !== null && decider.state !== "failed";
}

function afterCall(flow: Flow, onboarding: Onboarding, step: Step, seen: SeenFacts): NextStep {
  const { job, now } = seen;
  if (job === null) {
    return onboarding.cancel === null ? { kind: "enter" } : end(onboarding, "cancelled", onboarding.cancel, seen);
  }
  if (job.state === "succeeded") return goOn(flow, onboarding, step, job, seen);
  if (isTerminal(job.state)) return ended(onboarding, job.state, job.reason, seen);
  if (onboarding.state !== "running") return move(onboarding, "running", seen);
  if (onboarding.cancel !== null && job.state !== "active") return { kind: "abandon" };
  if (job.state === "queued") return { kind: "queue", job: job.id };
  return { kind: "wait", until: now + LOOK_MS };
}

function afterCode(flow: Flow, onboarding: Onboarding, step: Step, seen: SeenFacts): NextStep {
  const { job, challenge, verify, now } = seen;
  if (job === null || challenge === null) {
    return end(onboarding, "failed", "the record of its OTP is gone, or cannot be read", seen);
  }
  if (job.replacedBy !== null) return resent(onboarding, job.replacedBy, seen);
  const deadline = challenge.deadline ?? now;
  if (verify !== null && verify.state === "succeeded") return goOn(flow, onboarding, step, verify, seen);
  if (verify !== null && isTerminal(verify.state)) {
    const goesOn = verify.state === "rejected" && isWrongCode(verify.reason) && challenge.triesLeft > 0;
    if (!goesOn) return ended(onboarding, verify.state, verify.reason, seen);
  } else if (verify !== null) {
    if (onboarding.state !== "awaiting_otp") return move(onboarding, "awaiting_otp", seen);
    if (verify.state === "queued") return { kind: "queue", job: verify.id };
    return { kind: "wait", until: now + LOOK_MS };
  }
  if (onboarding.cancel !== null) return end(onboarding, "cancelled", onboarding.cancel, seen);
  if (now >= deadline + LATE_MS) return end(onboarding, "expired", "its code did not come in time", seen);
  if (onboarding.state !== "awaiting_otp") return move(onboarding, "awaiting_otp", seen);
  if (seen.hasEarlyCode && verify === null && now < deadline) return { kind: "answer" };
  return { kind: "wait", until: deadline + LATE_MS };
}

/** Another OTP takes the place of the one that was awaited. */
function resent(onboarding: Onboarding, job: string, seen: SeenFacts): NextStep {
  const before = onboarding.done.findLast((done) => done.job === onboarding.job);
  const done = onboarding.done.filter((one) => one !== before);
  const step = before?.step ?? onboarding.step;
  return { kind: "move", move: { ...stay(onboarding, "running", seen), step, job, done } };
}

/** The first rule that fits says where to. */
function goOn(flow: Flow, onboarding: Onboarding, step: Step, job: SeenJob, seen: SeenFacts): NextStep {
  const done = [...onboarding.done, { step: onboarding.step, job: job.id }];
  const go = step.next.find(({ when }) => fits(when ?? {}, job.result))?.go ?? END;
  const moved = { ...stay(onboarding, "running", seen), done, result: null };
  if (go === END) return { kind: "move", move: { ...moved, state: "succeeded", result: job.result } };
  if (onboarding.cancel !== null) {
    return { kind: "move", move: { ...moved, state: "cancelled", reason: onboarding.cancel } };
  }
  const next = flow.steps[go];
  if (next?.code === undefined) {
    return { kind: "move", move: { ...moved, step: go, job: stepJobId(onboarding.id, go) } };
  }
  return { kind: "move", move: { ...moved, state: "awaiting_otp", step: go, job: job.id } };
}

function fits(when: Readonly<Record<string, string | boolean | null>>, result: Result | null): boolean {
  return Object.entries(when).every(([field, value]) => (result?.[field] ?? null) === value);
}

/** How an onboarding ends whose step did not succeed. */
function ended(onboarding: Onboarding, state: TerminalState, reason: string | null, seen: SeenFacts): NextStep {
  switch (state) {
    case "unknown":
      if (onboarding.state === "unknown") return { kind: "wait", until: seen.now + LOOK_MS };
      return end(onboarding, state, reason, seen);
    case "rejected":
    case "failed":
    case "expired":
    case "cancelled":
      return end(onboarding, state, reason, seen);
    case "succeeded":
      throw new TypeError("a step that succeeded does not end an onboarding");
    default:
      return assertNever(state, "terminal state");
  }
}

function end(onboarding: Onboarding, state: OnboardingState, reason: string | null, seen: SeenFacts): NextStep {
  if (onboarding.state === "failed" && state === "failed") return { kind: "nothing" };
  return { kind: "move", move: { ...stay(onboarding, state, seen), reason } };
}

function move(onboarding: Onboarding, state: OnboardingState, seen: SeenFacts): NextStep {
  return { kind: "move", move: stay(onboarding, state, seen) };
}

function stay({ step, job, done }: Onboarding, state: OnboardingState, { now, challenge }: SeenFacts): Move {
  const seenVerify = challenge === null ? undefined : challenge.verify;
  return { state, step, job, done, reason: null, result: null, lookAt: now + LOOK_MS, seenVerify };
}
