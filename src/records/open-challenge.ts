import { challengeDeadline } from "../outcomes/challenge.ts";
import { parseRecord } from "./parse-record.ts";

/** Whether a record's fields are those of a send of this operation whose OTP has been neither answered nor outlived. */
export function isOpenChallenge(fields: Readonly<Record<string, string>>, operation: string, now: number): boolean {
  if (fields["state"] !== "succeeded" || fields["answered"] !== undefined) return false;
  const { operation: sent, result, updated_at } = parseRecord("", fields);
  if (sent !== operation || result?.["otp_sent"] !== true) return false;
  return challengeDeadline(result, Date.parse(updated_at)) > now;
}
