import { durationSchema } from "../base/duration.ts";
import { type ValuesOf, withDefault } from "../base/setting.ts";
import { delaysSchema, wholeNumberSchema } from "../base/text-schemas.ts";
import { DAY, HOUR } from "../base/time.ts";

/** How often a job is tried, and what is waited between. */
export interface RetrySettings {
  /** How many attempts a job has that cost one. Default 5. */
  readonly attempts: number;
  /** First backoff; doubles with each failure. Default 1 s. */
  readonly backoffBaseMs: number;
  /** Longest backoff. Default 60 s. */
  readonly backoffCapMs: number;
  /** Waits after a 409, one per try; when they are used up the job is `rejected`. Default 60s,120s,300s (facts/deepvue §7). */
  readonly pendingDelaysMs: readonly number[];
}

export const RETRY_SETTINGS = {
  CALL_ATTEMPTS: withDefault(wholeNumberSchema(1, 100), "5", {
    meaning: "Attempts of a job that cost one.",
  }),
  BACKOFF_BASE: withDefault(durationSchema({ least: 1, most: HOUR }), "1s", {
    meaning: "First wait after `unavailable`; doubles each time, with full jitter.",
  }),
  BACKOFF_CAP: withDefault(durationSchema({ least: 1, most: DAY }), "60s", {
    meaning: "Longest of those waits; at least `BACKOFF_BASE`.",
  }),
  DEEPVUE_PENDING_DELAYS: withDefault(delaysSchema({ least: 1, most: DAY }), "60s,120s,300s", {
    meaning: "Waits after Deepvue's 409 (an OTP is already under way), one for each further try.",
  }),
};

export function retrySettings(values: ValuesOf<typeof RETRY_SETTINGS>): RetrySettings {
  return {
    attempts: values.CALL_ATTEMPTS,
    backoffBaseMs: values.BACKOFF_BASE,
    backoffCapMs: values.BACKOFF_CAP,
    pendingDelaysMs: values.DEEPVUE_PENDING_DELAYS,
  };
}
