import { durationSchema } from "../base/duration.ts";
import { type ValuesOf, withDefault } from "../base/setting.ts";
import { wholeNumberSchema } from "../base/text-schemas.ts";
import { HOUR } from "../base/time.ts";

/** How a worker takes jobs from its queues, and leaves them. */
export interface TakingSettings {
  /** Jobs at once per queue and process. Default 50. */
  readonly concurrency: number;
  /** Time from SIGTERM to the hard stop; longer than a call may take. Default 35 s. */
  readonly shutdownGraceMs: number;
}

export const TAKING_SETTINGS = {
  WORKER_CONCURRENCY: withDefault(wholeNumberSchema(1, 1_000), "50", {
    meaning: "Jobs at once per queue and process.",
  }),
  SHUTDOWN_GRACE: withDefault(durationSchema({ least: 1, most: HOUR }), "35s", {
    meaning: "Time from SIGTERM to the hard stop; longer than `CALL_TIMEOUT`, or every deploy kills calls.",
  }),
};

export function takingSettings(values: ValuesOf<typeof TAKING_SETTINGS>): TakingSettings {
  return { concurrency: values.WORKER_CONCURRENCY, shutdownGraceMs: values.SHUTDOWN_GRACE };
}
