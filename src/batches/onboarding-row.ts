import { findFlow } from "../flows/flows.ts";
import type { Onboarding } from "../flows/onboarding.ts";
import type { JobRecord } from "../records/record.ts";
import { personEndOf } from "./person-ends.ts";
import { codeOf, isAway, NOTHING_KEPT, type RowSight } from "./row-end.ts";
import type { KeptResult } from "./row-result.ts";
import { rowStateOfOnboarding } from "./row-state.ts";

/**
 * Of a row whose onboarding goes on; `answer`: its step's job, as `LOOK_AT_ROWS` saw it. `isHeld`: no further step of it is called;
 * `deadline`: of the code that its person is awaited with.
 */
export function openSight(
  { state }: Onboarding,
  answer: readonly string[],
  isHeld: boolean,
  deadline: number | null,
): RowSight {
  const step = answer[0] === undefined || answer[0] === "missing" ? null : answer[0];
  const isPutAway = state === "awaiting_otp" || (step === null ? isHeld : isAway(answer));
  return {
    state: rowStateOfOnboarding(state, step),
    isAway: isPutAway,
    ticket: null,
    kept: null,
    spent: [],
    ...(deadline !== null && { deadline }),
  };
}

/** Of a row whose onboarding is over; `jobs`: the records of all its steps' jobs, in the order in which they were made. */
export function endedSight(onboarding: Onboarding, jobs: readonly JobRecord[]): RowSight {
  const { state } = onboarding;
  const mayGoOn = state === "failed" || state === "unknown";
  return {
    ...{ state: rowStateOfOnboarding(state, null), isAway: false, ticket: null },
    ...{ kept: keptOf(onboarding, jobs), spent: mayGoOn ? [] : jobs.map(({ id }) => id) },
    ...(isUnanswered(onboarding) && { isUnanswered: true }),
  };
}

function keptOf({ state, step, reason, result, updatedAt }: Onboarding, jobs: readonly JobRecord[]): KeptResult {
  const decider = jobs.findLast((job) => job.state === state);
  const last = decider ?? jobs.findLast(({ attempts }) => attempts.length > 0);
  const outcome = decider?.outcome ?? null;
  const attempt = last?.attempts.at(-1);
  const firstCall = jobs.find(({ attempts }) => attempts.length > 0)?.attempts[0];
  // Where it stopped, and what of it somebody can settle or try again.
  const stopped = {
    step,
    ...(decider !== undefined && (state === "unknown" || state === "failed") && { job: decider.id }),
  };
  return {
    ...NOTHING_KEPT,
    // What a person said on the phone goes before a code that was wrong.
    code: personEndOf(reason) ?? (outcome === null ? null : codeOf(outcome)),
    reason,
    attempts: jobs.reduce((sum, job) => sum + job.attempts.length, 0),
    result: state === "succeeded" ? result : { ...last?.result, ...stopped },
    clientRefId: attempt?.client_ref_id ?? null,
    startedAt: firstCall === undefined ? null : Date.parse(firstCall.started_at),
    endedAt: updatedAt,
  };
}

/** Its code was sent, and none that is right came in time. */
function isUnanswered({ flow, state, step }: Onboarding): boolean {
  return state === "expired" && findFlow(flow).steps[step]?.code !== undefined;
}
