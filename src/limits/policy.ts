import type { QuotaWindow } from "./quota.ts";

/** What a worker tells the gate with each attempt. */
export interface GatePolicy {
  /** The time after a refusal at which one job may try again, in ms. Default 5 min. */
  readonly holdMs: number;
  /** The longest time that a call takes, for which the others wait for a probe; in ms. */
  readonly callMs: number;
  /** The time within which one person gets no second OTP, in ms. Default 60 s. */
  readonly cooldownMs: number;
  /** The most OTPs for one person in a longer time. Default 5 in 30 min. */
  readonly otpLimit: QuotaWindow;
  /** The calls after which the next one is for a bulk job, though interactive ones wait. Default 9 (a floor of 10 %). */
  readonly floorEvery: number;
}
