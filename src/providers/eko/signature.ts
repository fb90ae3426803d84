import { createHmac, createSecretKey } from "node:crypto";
import type { Secret } from "../../secrets/secret.ts";

/** What proves a call to Eko: the timestamp must be sent as the very string that was signed. */
export interface EkoSignature {
  /** Header `secret-key`: 44 characters of padded standard base64. */
  readonly secretKey: string;
  /** Header `secret-key-timestamp`: milliseconds since 1970, 13 digits. */
  readonly timestamp: string;
}

/** Signs one attempt at `timestampMs`; throws RangeError where that is not a time in whole milliseconds of 13 digits. */
export type EkoSigner = (timestampMs: number) => EkoSignature;

/**
 * A signer that derives its key once: HMAC-SHA256 keyed with the UTF-8 of the access key's base64 *text*, which must not be
 * decoded to bytes again, over the decimal timestamp alone; path and body are not signed (facts/eko §1.1).
 */
export function createEkoSigner(accessKey: Secret): EkoSigner {
  const base64Text = Buffer.from(accessKey.open(), "utf8").toString("base64");
  const key = createSecretKey(base64Text, "utf8");
  let last: EkoSignature | null = null;
  return (timestampMs) => {
    const timestamp = String(timestampMs);
    // Only the time is signed: the attempts of one millisecond have the same signature.
    if (last?.timestamp === timestamp) return last;
    // Seconds, a fraction or a `performance.now()` would only show as a 403 from the provider.
    if (!/^[1-9]\d{12}$/.test(timestamp)) {
      throw new RangeError(`Eko signs milliseconds since 1970 with 13 digits, not ${timestamp}`);
    }
    last = { secretKey: createHmac("sha256", key).update(timestamp, "utf8").digest("base64"), timestamp };
    return last;
  };
}
