import { createHmac } from "node:crypto";

/**
 * Eko's `secret-key` (facts/eko §1.1): HMAC-SHA256 in base64, its key the base64 *text* of the access key, its message the
 * timestamp's own digits. Written here a second time on purpose: the simulator does not trust what it is to check.
 */
export function expectedSecretKey(accessKey: string, timestamp: string): string {
  const keyText = Buffer.from(accessKey, "utf8").toString("base64");
  return createHmac("sha256", keyText).update(timestamp).digest("base64");
}

export interface SignatureHeaders {
  readonly developerKey: string | null;
  readonly secretKey: string | null;
  readonly timestamp: string | null;
}

/** `toleranceMs`: how far the timestamp (13 digits, ms) may be from `now`, either way. */
export function isSigned(
  headers: SignatureHeaders,
  keys: { readonly developerKey: string; readonly accessKey: string },
  now: number,
  toleranceMs: number,
): boolean {
  const { developerKey, secretKey, timestamp } = headers;
  if (developerKey !== keys.developerKey || secretKey === null || timestamp === null) return false;
  if (!/^\d{13}$/.test(timestamp) || Math.abs(now - Number(timestamp)) > toleranceMs) return false;
  return secretKey === expectedSecretKey(keys.accessKey, timestamp);
}
