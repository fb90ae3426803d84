import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { ErrorCode, SatyapanError } from "../../base/error.ts";
import type { KeyProvider } from "./key-provider.ts";
import type { KeyRing } from "./key-ring.ts";
import { KEY_BYTES, NONCE_BYTES } from "../sealing/data-key.ts";

const VERSION = "w1";
const ALGORITHM = "aes-256-gcm";
const TAG_BYTES = 16;
const FORM = /^w1\.([A-Za-z0-9_-]{1,16})\.([A-Za-z0-9_-]+)$/;

/**
 * Wraps under the first key of SATYAPAN_ENCRYPTION_KEYS: `w1.<ring key id>.<base64url of nonce, ciphertext and tag>`,
 * AES-256-GCM with a random nonce. A ring key wraps a few data keys a day; random nonces are good for 2^32 (SP 800-38D §8.3).
 */
export class RingKeyProvider implements KeyProvider {
  readonly #ring: KeyRing;

  constructor(ring: KeyRing) {
    this.#ring = ring;
  }

  get sealingId(): string {
    return this.#ring.sealing.id;
  }

  wrap(key: Uint8Array, context: string): Promise<string> {
    const { id, key: ringKey } = this.#ring.sealing;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, ringKey, nonce);
    cipher.setAAD(additionalData(id, context));
    const body = cipher.update(key);
    cipher.final();
    const bytes = Buffer.concat([nonce, body, cipher.getAuthTag()]);
    return Promise.resolve(`${VERSION}.${id}.${bytes.toString("base64url")}`);
  }

  // oxlint-disable-next-line typescript/require-await -- what it throws has to be a rejection, as with other providers.
  async unwrap(wrapped: string, context: string): Promise<Uint8Array> {
    const [id, payload] = read(wrapped);
    const found = this.#ring.find(id);
    if (found === undefined) throw unknownRingKey(id);
    const bytes = Buffer.from(payload, "base64url");
    if (bytes.length !== NONCE_BYTES + KEY_BYTES + TAG_BYTES || bytes.toString("base64url") !== payload)
      throw unreadableKey();
    const end = bytes.length - TAG_BYTES;
    const decipher = createDecipheriv(ALGORITHM, found.key, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(additionalData(id, context));
    decipher.setAuthTag(bytes.subarray(end));
    const key = decipher.update(bytes.subarray(NONCE_BYTES, end));
    try {
      decipher.final();
    } catch {
      throw unreadableKey();
    }
    return key;
  }

  printOf(keyId: string): string | null {
    const found = this.#ring.find(keyId);
    if (found === undefined) return null;
    // 96 bits of a keyed hash of a constant: nothing of the key can be reckoned back from it.
    return createHmac("sha256", found.key).update("satyapan/ring-key/1").digest().subarray(0, 12).toString("base64url");
  }

  keyIdOf(wrapped: string): string {
    return ringKeyIdOf(wrapped);
  }
}

export function ringKeyIdOf(wrapped: string): string {
  return read(wrapped)[0];
}

/** Whether this text is of the ring's own form. */
export function isRingWrapped(wrapped: string): boolean {
  return wrapped.startsWith(`${VERSION}.`);
}

export function unknownRingKey(id: string): SatyapanError {
  return new SatyapanError(
    ErrorCode.UNKNOWN_KEY,
    `it needs the key "${id}", which is not among this process's keys: put it back into SATYAPAN_ENCRYPTION_KEYS, ` +
      "after the first, which seals",
  );
}

/** Another key of the same id is at work: this process' one opens nothing of the others'. */
export function otherRingKey(id: string): SatyapanError {
  return new SatyapanError(
    ErrorCode.UNKNOWN_KEY,
    `the key "${id}" of this process is not the key "${id}" that wrapped the data keys in use: ` +
      "give it the same SATYAPAN_ENCRYPTION_KEYS as the others",
  );
}

export function unreadableKey(): SatyapanError {
  return new SatyapanError(
    ErrorCode.UNREADABLE,
    "a stored data key does not unwrap: it was altered or exchanged, or wrapped by another key of the same id",
  );
}

function read(wrapped: string): readonly [id: string, payload: string] {
  const [, id, payload] = FORM.exec(wrapped) ?? [];
  if (id === undefined || payload === undefined) throw unreadableKey();
  return [id, payload];
}

/** A JSON array, because it is unambiguous. */
function additionalData(id: string, context: string): Buffer {
  return Buffer.from(JSON.stringify([VERSION, id, context]));
}
