import { durationSchema } from "../base/duration.ts";
import type { ProviderName } from "../base/provider-name.ts";
import { type ValuesOf, withDefault } from "../base/setting.ts";
import { shareSchema } from "../base/text-schemas.ts";
import { DAY } from "../base/time.ts";
import { quotaSchema, windowSchema } from "./parse-quota.ts";
import type { Quota, QuotaWindow } from "./quota.ts";

export interface LimitSettings {
  /** What each provider allows its credential. */
  readonly quotas: Readonly<Record<ProviderName, Quota>>;
  readonly otp: OtpSettings;
  /** The time after a refusal (our credentials, an agent) at which one job may try again, in ms. Default 5 min. */
  readonly holdProbeMs: number;
  /** Share of a scarce quota that bulk jobs get though interactive ones wait, 0 to 1. Default 0.1. */
  readonly bulkFloor: number;
}

export interface OtpSettings {
  /** Time in which no second OTP is asked for one subject. Default 60 s; 0 switches it off. */
  readonly cooldownMs: number;
  /** How many OTPs one subject is sent at most, in a longer time. Default 5 in 30 min (facts/deepvue §7). */
  readonly limit: QuotaWindow;
}

export const LIMIT_SETTINGS = {
  EKO_QUOTA: withDefault(quotaSchema, "10/1s", {
    meaning: "What Eko allows the credential, in all windows at once. Eko publishes none: ask for yours.",
  }),
  DEEPVUE_QUOTA: withDefault(quotaSchema, "1/1s,30/1m,1000/1d", {
    meaning: "What Deepvue allows the credential, in all windows at once.",
  }),
  OTP_COOLDOWN: withDefault(durationSchema({ most: DAY }), "60s", {
    meaning: "Time in which no second OTP is asked for one person. `0s` switches it off.",
  }),
  OTP_LIMIT: withDefault(windowSchema, "5/30m", {
    meaning: "How many OTPs one person is sent at most in any such time, whatever the cooldown allows.",
  }),
  HOLD_PROBE: withDefault(durationSchema({ least: 1, most: DAY }), "5m", {
    meaning: "After the provider refused a credential, an agent or an initiator: when one job may try again.",
  }),
  BULK_FLOOR: withDefault(shareSchema, "10%", {
    meaning: "Share of a scarce quota that bulk jobs get though interactive ones wait.",
  }),
};

export function limitSettings(values: ValuesOf<typeof LIMIT_SETTINGS>): LimitSettings {
  return {
    quotas: { eko: values.EKO_QUOTA, deepvue: values.DEEPVUE_QUOTA },
    otp: { cooldownMs: values.OTP_COOLDOWN, limit: values.OTP_LIMIT },
    holdProbeMs: values.HOLD_PROBE,
    bulkFloor: values.BULK_FLOOR,
  };
}
