import { assertNever } from "../base/assert-never.ts";
import type { TerminalState } from "./state.ts";
import type { AfterUnknown } from "./policy.ts";
import type { WaitCause } from "./wait-cause.ts";
import { backoffMs } from "./backoff.ts";
import { isEndedByUs } from "./no-reply.ts";
import type { Outcome } from "./outcome.ts";

/** What follows an attempt: the job ends, or waits and is tried again. */
export type Decision =
  | { readonly kind: "settle"; readonly state: TerminalState; readonly reason: string | null }
  | {
      readonly kind: "wait";
      readonly cause: WaitCause;
      /** Earliest next attempt, ms since the epoch. After a 429 or a refusal the gate knows better and says so. */
      readonly until: number;
      readonly reason: string;
    };

export interface DecisionFacts {
  /** Attempts spent and pendings met so far, this one included. */
  readonly used: number;
  readonly pendings: number;
  /** Sends repeated after `unknown` so far. */
  readonly resends: number;
  /** The operation's own policy after `unknown`. */
  readonly afterUnknown: AfterUnknown;
  readonly now: number;
  /** Null: the job has no deadline. */
  readonly expiresAt: number | null;
  /** One wait per `pending`. */
  readonly pendingDelaysMs: readonly number[];
  /** Waited out before a send is repeated. */
  readonly cooldownMs: number;
  /** The time after a refusal at which one job may try again, in ms. */
  readonly holdMs: number;
  readonly attempts: number;
  readonly backoffBaseMs: number;
  readonly backoffCapMs: number;
  readonly random: () => number;
}

/** Whether an outcome costs one of the job's attempts (design §3, last column). */
export function costsAttempt(kind: Outcome["kind"]): boolean {
  switch (kind) {
    case "succeeded":
    case "rejected":
    case "unavailable":
    case "unknown":
      return true;
    case "pending":
    case "throttled":
    case "refused":
      return false;
    default:
      return assertNever(kind, "outcome");
  }
}

/** Design §3 as a pure function: what happens after an attempt that ended so. */
export function decide(outcome: Outcome, facts: DecisionFacts): Decision {
  const decision = decideByOutcome(outcome, facts);
  // The first send may have happened: a no to the second one says nothing about it.
  if (facts.resends === 0 || decision.kind === "wait" || decision.state === "succeeded") return decision;
  if (decision.state === "unknown") return decision;
  return {
    kind: "settle",
    state: "unknown",
    reason: inDoubt(`the one after it: ${decision.reason ?? decision.state}`),
  };
}

/** Why a job is `unknown` of which an earlier send may have happened. */
export function inDoubt(what: string): string {
  return `an earlier send may have happened; ${what}`;
}

function decideByOutcome(outcome: Outcome, facts: DecisionFacts): Decision {
  switch (outcome.kind) {
    case "succeeded":
      return { kind: "settle", state: "succeeded", reason: null };
    case "rejected":
      return { kind: "settle", state: "rejected", reason: outcome.reason };
    case "pending": {
      const delay = facts.pendingDelaysMs[facts.pendings - 1];
      if (delay === undefined) return { kind: "settle", state: "rejected", reason: "OTP already pending" };
      const step = `wait ${facts.pendings} of ${facts.pendingDelaysMs.length}`;
      return wait(facts, "pending", delay, `pending: ${outcome.reason}; ${step}`);
    }
    case "throttled":
      return wait(
        facts,
        "throttled",
        outcome.retryAfterMs ?? 1_000,
        "throttled: the provider's rate limit was reached (429)",
      );
    case "unavailable": {
      if (facts.used >= facts.attempts) {
        return { kind: "settle", state: "failed", reason: `attempts used up (${facts.used}): ${outcome.reason}` };
      }
      const isFree = outcome.noReply !== undefined && isEndedByUs(outcome.noReply);
      return backOff(facts, isFree ? `${outcome.reason}; it cost no attempt` : `${outcome.reason}${ofAttempts(facts)}`);
    }
    case "unknown":
      return afterUnknown(outcome.reason, facts);
    case "refused":
      return wait(facts, outcome.scope === "credential" ? "held" : "scope", facts.holdMs, `held: ${outcome.reason}`);
    default:
      return assertNever(outcome, "outcome");
  }
}

/** What may have happened is never repeated blindly: the operation's own policy decides (design §3). */
function afterUnknown(reason: string, facts: DecisionFacts): Decision {
  const stop: Decision = { kind: "settle", state: "unknown", reason };
  if (facts.used >= facts.attempts) return stop;
  switch (facts.afterUnknown) {
    case "repeat":
      return backOff(facts, `${reason}; nothing is changed by asking again${ofAttempts(facts)}`);
    case "resend-after-cooldown": {
      if (facts.resends > 0) return stop;
      // There will be no time for another: a job that had a call which may have happened does not just expire.
      if (facts.expiresAt !== null && facts.now + facts.cooldownMs >= facts.expiresAt) return stop;
      return wait(facts, "unknown", facts.cooldownMs, `unknown: ${reason}; sent once more after the cooldown`);
    }
    case "stop":
      return stop;
    default:
      return assertNever(facts.afterUnknown, "policy after unknown");
  }
}

function backOff(facts: DecisionFacts, reason: string): Decision {
  const used = Math.max(1, facts.used); // 0 where what came to nothing cost nothing
  const delay = backoffMs(used, facts.backoffBaseMs, facts.backoffCapMs, facts.random);
  return wait(facts, "backoff", delay, `backing off: ${reason}`);
}

function ofAttempts({ used, attempts }: DecisionFacts): string {
  return `; attempt ${Math.max(1, used)} of ${attempts}`;
}

/** Never past the deadline: at that instant the job is picked up once more and ends as `expired`. */
function wait(facts: DecisionFacts, cause: WaitCause, delayMs: number, reason: string): Decision {
  const until = facts.now + delayMs;
  return { kind: "wait", cause, until: Math.min(until, facts.expiresAt ?? until), reason };
}
