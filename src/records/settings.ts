import { durationSchema } from "../base/duration.ts";
import { type ValuesOf, withDefault } from "../base/setting.ts";
import { switchSchema } from "../base/text-schemas.ts";
import { DAY, MINUTE } from "../base/time.ts";

/** How long things are kept, in ms. */
export interface RetentionTimes {
  /** A settled record. Default 30 d. */
  readonly recordMs: number;
  /** Its sealed result. Default 24 h. */
  readonly resultMs: number;
  /** Whether records at rest are archived. Default false. */
  readonly archives?: boolean;
}

export const RETENTION_SETTINGS = {
  RECORD_RETENTION: withDefault(durationSchema({ least: MINUTE, most: 3_650 * DAY }), "30d", {
    meaning: "How long a settled job's record is kept, and with it the memory of its id.",
  }),
  RESULT_RETENTION: withDefault(durationSchema({ least: MINUTE, most: 365 * DAY }), "24h", {
    meaning:
      "How long the sealed part of a result is kept, and the input of a job that failed or is `unknown`; at most `RECORD_RETENTION`.",
  }),
  RECORD_ARCHIVE: withDefault(switchSchema, "off", {
    meaning:
      "`on` puts the records of which nothing sealed is kept together, which takes a third less of Redis for each. Only once every worker " +
      "and producer is of a version that has this setting: those before do not find them.",
  }),
};

export function retentionTimes(values: ValuesOf<typeof RETENTION_SETTINGS>): RetentionTimes {
  return {
    recordMs: values.RECORD_RETENTION,
    resultMs: values.RESULT_RETENTION,
    archives: values.RECORD_ARCHIVE,
  };
}
