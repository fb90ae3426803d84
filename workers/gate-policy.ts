import type { Settings } from "../src/config/settings.ts";
import type { GatePolicy } from "../src/limits/policy.ts";

/** The gate's policy by a worker's settings: sent with each of its attempts. */
export function gatePolicy({ holdProbeMs, calls, otp, bulkFloor }: Settings): GatePolicy {
  return {
    holdMs: holdProbeMs,
    callMs: calls.timeoutMs,
    cooldownMs: otp.cooldownMs,
    otpLimit: otp.limit,
    // A share of 0 never lets bulk go first.
    floorEvery: bulkFloor > 0 ? Math.max(1, Math.round(1 / bulkFloor) - 1) : Number.MAX_SAFE_INTEGER,
  };
}
