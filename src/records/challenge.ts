import { parseRecord } from "./parse-record.ts";

/** How long an OTP is good where the provider does not say: facts/deepvue §7. */
const OTP_LIFE_MS = 600_000;

/** Until when the OTP of a succeeded send can be answered, ms. */
export function challengeDeadline(result: Readonly<Record<string, unknown>>, sentAt: number): number {
  const until = Date.parse(String(result["otp_valid_until"]));
  return Number.isNaN(until) ? sentAt + OTP_LIFE_MS : until;
}

/** Whether a record's fields are those of a send of this operation whose OTP has been neither answered nor outlived. */
export function isOpenChallenge(fields: Readonly<Record<string, string>>, operation: string, now: number): boolean {
  if (fields["state"] !== "succeeded" || fields["answered"] !== undefined) return false;
  const { operation: sent, result, updated_at } = parseRecord("", fields);
  if (sent !== operation || result?.["otp_sent"] !== true) return false;
  return challengeDeadline(result, Date.parse(updated_at)) > now;
}
