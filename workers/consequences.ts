import { assertNever } from "../src/assert-never.ts";
import { scopeOf } from "../src/limits/scopes.ts";
import type { OpenInput, Operation } from "../src/operations/operation.ts";
import type { Outcome, Result } from "../src/outcomes/outcome.ts";
import { Secret } from "../src/privacy/secret.ts";
import { isOwnDoing } from "../src/providers/endings.ts";
import type { CallHealth, OpenChallenge } from "../src/records/record-store.ts";

/** What a call says about the provider and our credentials; null where it was not made. */
export function callHealth(outcome: Outcome, operation: Operation, input: OpenInput): CallHealth | null {
  switch (outcome.kind) {
    case "succeeded":
    case "rejected":
    case "pending":
      return { kind: "well" };
    case "unavailable":
    case "unknown":
      return isOwnDoing(outcome.reason) ? null : { kind: "failed" };
    case "throttled":
      return { kind: "throttled", retryAfterMs: outcome.retryAfterMs };
    case "refused":
      return { kind: "refused", scope: scopeOf(outcome.scope, operation, input), reason: outcome.reason };
    default:
      return assertNever(outcome, "outcome");
  }
}

/** Whether a person was sent an OTP, or may have been: it counts for his cooldown. */
export function isSent({ kind }: Outcome): boolean {
  return kind === "succeeded" || kind === "pending" || kind === "unknown";
}

/** How long an OTP is good where the provider does not say: facts/deepvue §7. */
const OTP_LIFE_MS = 600_000;

/** The challenge that a send opens; null for everything else. */
export function openChallenge(operation: Operation, outcome: Outcome, now: number): OpenChallenge | null {
  if (operation.step !== "send" || outcome.kind !== "succeeded" || outcome.result["otp_sent"] !== true) return null;
  const until = Date.parse(String(outcome.result["otp_valid_until"]));
  const lifeMs = Number.isNaN(until) ? OTP_LIFE_MS : until - now;
  return lifeMs > 0 ? { operation: operation.name, lifeMs } : null;
}

/** Adds the masked Aadhaar and mobile number, so that a result says whom it is about without telling the number. */
export function withMasks(outcome: Outcome, input: OpenInput): Outcome {
  if (outcome.kind !== "succeeded") return outcome;
  const masks: Record<string, string> = {};
  for (const [field, value] of Object.entries(input)) {
    if (value instanceof Secret && value.maskName !== "hidden") masks[field] = value.toString();
  }
  const result: Result = { ...masks, ...outcome.result };
  return { ...outcome, result };
}
