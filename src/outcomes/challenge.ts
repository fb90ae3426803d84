/** How long an OTP is good where the provider does not say, in ms: facts/deepvue §7. */
export const OTP_LIFE_MS = 600_000;

/** No OTP lives longer; a deadline beyond it is a wrong clock, or a wrong year. */
const LONGEST_OTP_LIFE_MS = 3_600_000;

/**
 * The deadline for answering the OTP of a succeeded send, ms. What a provider says of it is a hint: its published samples
 * are long past. Where it was over when the reply came, or lies too far ahead, our own default counts instead.
 */
export function challengeDeadline(result: Readonly<Record<string, unknown>>, sentAt: number): number {
  const said = result["otp_valid_until"];
  const until = typeof said === "string" ? Date.parse(said) : Number.NaN;
  return isCredible(until, sentAt) ? until : sentAt + OTP_LIFE_MS;
}

/** Whether a provider's deadline of an OTP can be true of a reply that came then; both in ms. */
export function isCredible(until: number, receivedAt: number): boolean {
  return until > receivedAt && until <= receivedAt + LONGEST_OTP_LIFE_MS;
}

/** What a provider takes at most of one OTP: after that many wrong ones it is dead (facts/deepvue §0.4). */
export const MOST_TRIES = 3;
/** OTPs of one challenge, the first one included. A person who got none of them has another reason. */
export const MOST_SENDS = 3;

/** Our own words for a verify that was a no to the code, and not to the person. */
const WRONG_CODES: ReadonlySet<string> = new Set([
  "wrong OTP",
  "wrong or expired OTP",
  "wrong or expired OTP, or an earlier step is missing",
  "wrong OTP, or the Aadhaar number is not valid",
  "the Aadhaar number, the OTP or the reference is not valid",
]);

/** Whether a verify that was rejected for this reason leaves the OTP's other tries. */
export function isWrongCode(reason: string | null): boolean {
  return reason !== null && WRONG_CODES.has(reason);
}
