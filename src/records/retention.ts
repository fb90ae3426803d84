import type { Step } from "../outcomes/policy.ts";
import type { Result } from "../outcomes/outcome.ts";
import { assertNever } from "../base/assert-never.ts";
import { challengeDeadline, OTP_LIFE_MS } from "../outcomes/challenge.ts";
import { isTerminal, type JobState } from "../outcomes/state.ts";

/** What is kept of a job's sealed values, and until when. */
export interface Retention {
  /** When the reaper has to look at it, ms; null: never; `unchanged`: as before. */
  readonly lookAt: number | null | "unchanged";
  readonly keepsInput: boolean;
}

export interface Kept {
  readonly state: JobState;
  readonly step: Step;
  readonly result: Result | null;
  readonly hasPersonal: boolean;
  readonly endedAt: number;
  /** The job's own deadline, ms; null or absent: none. */
  readonly expiresAt?: number | null;
  /** How long sealed results are kept, ms. Default 24 h. */
  readonly resultRetentionMs: number;
}

/** The time after which a record of which nothing sealed is kept is packed, in ms: nothing is sent again by then. */
const AT_REST_MS = OTP_LIFE_MS;

/**
 * Input goes the moment it is no longer needed: with the job's end, but of a send when its OTP can no longer be answered, and of
 * what may still be tried again by hand (`failed`, `unknown`) when results go: a verify's with its OTP, if that dies before.
 */
export function retentionOf(kept: Kept): Retention {
  const { state, step, result, hasPersonal, endedAt, expiresAt, resultRetentionMs } = kept;
  if (!isTerminal(state)) return { lookAt: "unchanged", keepsInput: true };
  const resultsGo = endedAt + resultRetentionMs;
  const latestOtp = endedAt + OTP_LIFE_MS;
  switch (state) {
    case "failed":
    case "unknown":
      return { lookAt: step === "verify" ? Math.min(resultsGo, expiresAt ?? latestOtp) : resultsGo, keepsInput: true };
    case "succeeded":
      if (step === "send" && result?.["otp_sent"] !== false) {
        // A provider whose clock is far ahead does not make it stay for ever.
        const longest = Math.max(resultsGo, latestOtp);
        return { lookAt: Math.min(challengeDeadline(result ?? {}, endedAt), longest), keepsInput: true };
      }
      return { lookAt: hasPersonal ? resultsGo : endedAt + AT_REST_MS, keepsInput: false };
    case "rejected":
    case "expired":
    case "cancelled":
      return { lookAt: hasPersonal ? resultsGo : endedAt + AT_REST_MS, keepsInput: false };
    default:
      return assertNever(state, "terminal state");
  }
}

/** In place of a time: the reaper looks at it when it would have before. */
export const UNCHANGED = "-";

/** The retention as arguments of the records' scripts. */
export function retentionArgs({ lookAt, keepsInput }: Retention) {
  return { look_at: lookAt === "unchanged" ? UNCHANGED : lookAt, keeps_input: keepsInput };
}
