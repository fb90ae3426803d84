import { durationSchema } from "../base/duration.ts";
import { type ValuesOf, withDefault } from "../base/setting.ts";
import { MINUTE } from "../base/time.ts";

/** How any provider is called. */
export interface CallSettings {
  /** From the first byte written to the last byte read. Default 30 s. */
  readonly timeoutMs: number;
}

export const CALL_SETTINGS = {
  CALL_TIMEOUT: withDefault(durationSchema({ least: 1, most: 10 * MINUTE }), "30s", {
    meaning: "Longest time of one HTTP call, from its first byte written to the last byte read.",
  }),
};

export function callSettings(values: ValuesOf<typeof CALL_SETTINGS>): CallSettings {
  return { timeoutMs: values.CALL_TIMEOUT };
}
