import { sendNumber } from "../src/challenges/challenge.ts";
import type { Operation } from "../src/operations/operation.ts";
import { isWrongCode } from "../src/outcomes/challenge.ts";
import type { Result } from "../src/outcomes/outcome.ts";
import type { JobState } from "../src/outcomes/state.ts";
import type { ChallengeEvent } from "../src/telemetry/person-metrics.ts";

/** How a job stands after an attempt. */
export interface EndedJob {
  readonly id: string;
  readonly state: JobState;
  readonly reason: string | null;
  readonly result: Result | null;
}

/** What a job's end means for a challenge, and by which send it is counted; null: nothing. */
export function challengeEvents(
  { name, step, of }: Operation,
  { id, state, reason, result }: EndedJob,
): { readonly send: string; readonly events: readonly ChallengeEvent[] } | null {
  if (step === "send" && state === "succeeded" && result?.["otp_sent"] === true) {
    return { send: name, events: sendNumber(id).n > 1 ? ["sent", "resent"] : ["sent"] };
  }
  if (of === undefined) return null;
  if (state === "succeeded") return { send: of.send, events: ["answered", "verified"] };
  if (state !== "rejected") return null;
  return { send: of.send, events: ["answered", isWrongCode(reason) ? "wrong" : "rejected"] };
}
