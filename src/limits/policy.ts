import type { QuotaWindow } from "./quota.ts";

/** What a worker tells the gate with each attempt. */
export interface GatePolicy {
  /** After a refusal one job may try again after so many ms. Default 5 min. */
  readonly holdMs: number;
  /** Longest time a call takes: so long the others wait for a probe, in ms. */
  readonly callMs: number;
  /** No second OTP for one person within so many ms. Default 60 s. */
  readonly cooldownMs: number;
  /** Nor more than so many in a longer time. Default 5 in 30 min. */
  readonly otpLimit: QuotaWindow;
  /** After so many calls the next one is for a bulk job, though interactive ones wait. Default 9 (a floor of 10 %). */
  readonly floorEvery: number;
}
