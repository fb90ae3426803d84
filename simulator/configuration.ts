import { z } from "zod";
import { ErrorCode, SatyapanError } from "../src/base/error.ts";
import { FaultRule } from "./fault.ts";

const QuotaWindows = z.array(z.strictObject({ max: z.int().nonnegative(), ms: z.int().positive() }));
const Milliseconds = z.int().nonnegative();

/**
 * Everything that can be changed while the simulator runs (`configure`, `POST /_simulator/configure`). Times in ms.
 * `optional` fields of a patch that are absent stay as they are.
 */
const Fields = {
  /** Windows per provider, counted on arrival, sliding; empty: no limit (default). Set anew, they start from zero. */
  quotas: z.strictObject({ eko: QuotaWindows, deepvue: QuotaWindows }),
  /** False: overruns are only counted. Default true. */
  enforceQuotas: z.boolean(),
  /** Whether a 429 carries `Retry-After`; not documented by either provider. Default false. */
  retryAfter: z.boolean(),
  /** Deepvue: how long after an OTP the same Aadhaar gets 409. Default 60 s; 0 switches it off. */
  pendingWindowMs: Milliseconds,
  /** How long an OTP is good. Default 10 min (facts/deepvue §5.1). */
  otpTtlMs: Milliseconds,
  /** Wrong tries that kill an OTP. Default 3 (facts/deepvue §7). */
  wrongTries: z.int().positive(),
  /** How far Eko's `secret-key-timestamp` may be off. Default 5 min; the real figure is not published (facts/eko §1.6). */
  signatureToleranceMs: Milliseconds,
  /** Body of Eko's 403; both have been seen (facts/eko §1.6). Default json. */
  forbiddenBody: z.enum(["json", "html"]),
  /**
   * How DMT-Levin says "OTP sent" (facts/eko §3.1, §4.1): status 2129 with response_status_id 1, or zeros with type 2129,
   * or as the seed's page does (zeros with type 1388 and a `mobile_hint`); `both` (default) takes turns of the first two.
   */
  otpSentEnvelope: z.enum(["both", "2129", "zero", "seed"]),
  /** How DMT-Levin confirms an Aadhaar OTP: the seed's page (default), or 2134 with a new `otp_ref_id` (facts/eko §4.1). */
  levinVerified: z.enum(["seed", "2134"]),
  /** DMT-Levin: refuse an `otp_ref_id` that GET or POST sender did not give for that customer. Default false. */
  checkSenderReference: z.boolean(),
  /** The reply to a mobile OTP carries the `otp`, as Eko's UAT does (facts/eko §8.2). Default false. */
  echoOtp: z.boolean(),
  /** `user_code`s and `initiator_id`s that are known besides those of the credentials. Default none. */
  userCodes: z.array(z.string()),
  initiatorIds: z.array(z.string()),
  /** How long every reply takes at least and at most, evenly spread. Default 0 and 0. */
  latencyMs: z.strictObject({ min: Milliseconds, max: Milliseconds }),
  /** Faults by rule, the first that strikes wins; then the table of endings. Default none. */
  faults: z.array(FaultRule),
  /** Whether the last three digits of a number choose a fault (`endings.ts`). Default true. */
  endings: z.boolean(),
};
const Configuration = z.strictObject(Fields);
const Patch = Configuration.extend({
  quotas: z.strictObject({ eko: QuotaWindows.optional(), deepvue: QuotaWindows.optional() }),
}).partial();

export type SimulatorConfiguration = Readonly<z.output<typeof Configuration>>;
export type ConfigurationPatch = Readonly<z.input<typeof Patch>>;

export const DEFAULT_CONFIGURATION: SimulatorConfiguration = {
  quotas: { eko: [], deepvue: [] },
  enforceQuotas: true,
  retryAfter: false,
  pendingWindowMs: 60_000,
  otpTtlMs: 600_000,
  wrongTries: 3,
  signatureToleranceMs: 300_000,
  forbiddenBody: "json",
  otpSentEnvelope: "both",
  levinVerified: "seed",
  checkSenderReference: false,
  echoOtp: false,
  userCodes: [],
  initiatorIds: [],
  latencyMs: { min: 0, max: 0 },
  faults: [],
  endings: true,
};

/** @throws {SatyapanError} `bad-settings`, naming the field, where the patch is not one. */
export function patched(configuration: SimulatorConfiguration, patch: unknown): SimulatorConfiguration {
  const read = Patch.safeParse(patch);
  if (!read.success) {
    throw new SatyapanError(
      ErrorCode.BAD_SETTINGS,
      `The simulator's configuration is wrong:\n${z.prettifyError(read.error)}`,
    );
  }
  const given = Object.fromEntries(Object.entries(read.data).filter(([, value]) => value !== undefined));
  const quotas = {
    eko: read.data.quotas?.eko ?? configuration.quotas.eko,
    deepvue: read.data.quotas?.deepvue ?? configuration.quotas.deepvue,
  };
  return { ...configuration, ...given, quotas };
}
