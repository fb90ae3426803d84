import { createHash, createHmac, createSecretKey, hkdfSync, type KeyObject } from "node:crypto";
import type { Secret } from "../../secrets/secret.ts";

const BYTES = 32;

/**
 * What the log is chained with: HKDF-SHA-256 of the subject key. Whoever changes the log without it cannot make the hashes
 * fit again.
 */
export class AuditKey {
  /** First 8 hex digits of SHA-256 of the key: tells keys apart, says nothing about them. */
  readonly id: string;
  readonly #key: KeyObject;

  /** `subjectKey`: base64 of 32 bytes (`SATYAPAN_SUBJECT_KEY`). */
  constructor(subjectKey: Secret) {
    const bytes = Buffer.from(
      hkdfSync("sha256", Buffer.from(subjectKey.open(), "base64"), "", "satyapan/audit/1", BYTES),
    );
    this.id = createHash("sha256").update(bytes).digest("hex").slice(0, 8);
    this.#key = createSecretKey(bytes);
  }

  /** `<key id>.<43 characters of base64url>`: HMAC-SHA-256. Two parts: `what` came before, or what the text is. */
  hash(what: string, text: string): string {
    return `${this.id}.${createHmac("sha256", this.#key).update(`${what}\n${text}`).digest("base64url")}`;
  }
}
