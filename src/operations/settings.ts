import { type ValuesOf, withDefault, withoutDefault } from "../base/setting.ts";
import { choiceSchema, switchSchema } from "../base/text-schemas.ts";
import { type CallPrices, callPricesSchema } from "./call-prices.ts";

/** What is asked of an input before it becomes a job. */
export interface EntrySettings {
  /** `off` lets the providers' own test numbers through, which fail Verhoeff (facts/deepvue §5.2). */
  readonly aadhaarChecksum: boolean;
  /** Which jobs are refused without consent. Default `deepvue`. */
  readonly consentRequired: "deepvue" | "all";
  /** What calls cost; empty: nobody said. */
  readonly callPrices: CallPrices;
}

/** Besides these, each operation has one for its path (`path-settings.ts`). */
export const ENTRY_SETTINGS = {
  AADHAAR_CHECKSUM: withDefault(switchSchema, "on", {
    meaning: "Verhoeff check of Aadhaar numbers. The providers' own test numbers need `off`.",
  }),
  CONSENT_REQUIRED: withDefault(choiceSchema("deepvue", "all"), "deepvue", {
    meaning:
      "Which jobs are refused without `consent`: Deepvue's, or all about an Aadhaar number. What is given is recorded before the first call.",
  }),
  CALL_PRICES: withoutDefault(callPricesSchema, {
    meaning: "What one call of an operation costs in rupees, for the estimate of `satyapan batch check`.",
  }),
};

export function entrySettings(values: ValuesOf<typeof ENTRY_SETTINGS>): EntrySettings {
  return {
    aadhaarChecksum: values.AADHAAR_CHECKSUM,
    consentRequired: values.CONSENT_REQUIRED,
    callPrices: values.CALL_PRICES ?? new Map(),
  };
}
