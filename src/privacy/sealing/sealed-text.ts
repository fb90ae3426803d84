import { isUtf8 } from "node:buffer";
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { ErrorCode, SatyapanError } from "../../base/error.ts";
import { type DataKey, NONCE_BYTES } from "./data-key.ts";

/** First part of what is sealed: form and algorithm. A new form gets a new one. */
const VERSION = "s2";
/** That of sealed bytes, which are kept as they are: base64 would cost a third more. */
const BYTES_VERSION = "z2";
const ALGORITHM = "aes-256-gcm";
const TAG_BYTES = 16;
const HEAD = /^s2\.([0-9a-z]{12})\./;
const BYTES_HEAD = /^z2\.([0-9a-z]{12})\.$/;
const FIRST = /[sz]2\.([0-9a-z]{12})\./;
const ANYWHERE = /[sz]2\.[0-9a-z]{12}\./g;
/** `s2.` or `z2.`, the id, `.` */
const HEAD_LENGTH = 16;
/** A sealer's counter has 32 bits. */
export const MOST_SEALED = 2 ** 32;

export interface SealerOptions {
  /** The secrets of an input are sealed in one piece, not each for itself (`sealFields`). Default false. */
  readonly sealsWhole?: boolean;
  /** Where the counter begins, for tests. Default 0. */
  readonly sealed?: number;
}

/** What a sealed value is bound to: moved to another field, job or operation it does not open. */
export interface SealedFor {
  readonly operation: string;
  readonly jobId: string;
  readonly field: string;
}

/**
 * Seals under one data key, with nonces that no other sealer of that key has: 4 bytes of a number that Redis hands out once
 * per key and sealer, 4 random bytes, 4 bytes that count. The random ones are for a Redis that forgets what it handed out
 * (put back from a backup, a failover to a replica that lagged): two sealers of one number still meet only once in 2^32.
 */
export class Sealer {
  readonly dataKey: DataKey;
  readonly sealsWhole: boolean;
  readonly #nonce = Buffer.alloc(NONCE_BYTES);
  #sealed: number;

  /** `number`: this sealer's own among all of the key, 1 to 2^32 − 1. */
  constructor(dataKey: DataKey, number: number, { sealsWhole = false, sealed = 0 }: SealerOptions = {}) {
    this.dataKey = dataKey;
    this.sealsWhole = sealsWhole;
    this.#sealed = sealed;
    this.#nonce.writeUInt32BE(number, 0);
    randomBytes(4).copy(this.#nonce, 4);
  }

  /** How many values it can still seal. */
  get left(): number {
    return MOST_SEALED - this.#sealed;
  }

  /**
   * `s2.<data key id>.<base64url of nonce, ciphertext and tag>`, AES-256-GCM.
   * @throws TypeError for bytes that are not UTF-8 text, which is what opening gives back; RangeError when it is used up
   */
  seal(clear: string | Uint8Array, associated: SealedFor): string {
    if (typeof clear !== "string" && !isUtf8(clear))
      throw new TypeError("only text can be sealed: the bytes are not UTF-8");
    const payload = this.#encrypt(VERSION, clear, associated);
    return `${VERSION}.${this.dataKey.id}.${payload.toString("base64url")}`;
  }

  /** Bytes of any kind: `z2.<data key id>.`, then nonce, ciphertext and tag as they are. Throws RangeError as `seal`. */
  sealBytes(clear: Uint8Array, associated: SealedFor): Buffer {
    const payload = this.#encrypt(BYTES_VERSION, clear, associated);
    return Buffer.concat([Buffer.from(`${BYTES_VERSION}.${this.dataKey.id}.`), payload]);
  }

  #encrypt(version: string, clear: string | Uint8Array, associated: SealedFor): Buffer {
    if (this.left <= 0) throw new RangeError("this sealer is used up: ask for another");
    const { id, key } = this.dataKey;
    // Counted before the nonce is used: whatever fails after this, no nonce comes twice.
    const nonce = this.#nonce;
    nonce.writeUInt32BE(this.#sealed++, 8);
    const cipher = createCipheriv(ALGORITHM, key, nonce);
    cipher.setAAD(additionalData(version, id, associated));
    const body = typeof clear === "string" ? cipher.update(clear, "utf8") : cipher.update(clear);
    cipher.final(); // GCM is a stream: nothing more comes, but the tag
    return Buffer.concat([nonce, body, cipher.getAuthTag()]);
  }
}

/**
 * The clear text of what a `Sealer` of this key made for the same operation, job and field.
 * @throws SatyapanError `unreadable` for an altered or truncated text, or one sealed for something else, all in the same
 * words, so that no answer tells which
 */
export function openSealed({ id, key }: DataKey, text: string, associated: SealedFor): string {
  if (dataKeyIdOf(text) !== id) throw unreadable(associated);
  const payload = text.slice(HEAD_LENGTH);
  const bytes = Buffer.from(payload, "base64url");
  // Decoding forgives strange characters and spare bits: only the one text that the bytes have is ours.
  if (bytes.toString("base64url") !== payload) throw unreadable(associated);
  return decrypt(VERSION, { id, key }, bytes, associated).toString("utf8");
}

/** The clear bytes of what `sealBytes` made of this key for the same. Throws as `openSealed`. */
export function openSealedBytes(dataKey: DataKey, sealed: Uint8Array, associated: SealedFor): Buffer {
  if (dataKeyIdOfBytes(sealed) !== dataKey.id) throw unreadable(associated);
  return decrypt(BYTES_VERSION, dataKey, sealed.subarray(HEAD_LENGTH), associated);
}

function decrypt(
  version: string,
  { id, key }: Pick<DataKey, "id" | "key">,
  bytes: Uint8Array,
  associated: SealedFor,
): Buffer {
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw unreadable(associated);
  const end = bytes.length - TAG_BYTES;
  const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(additionalData(version, id, associated));
  decipher.setAuthTag(bytes.subarray(end));
  const clear = decipher.update(bytes.subarray(NONCE_BYTES, end));
  try {
    decipher.final(); // compares the tag in constant time, and throws
  } catch {
    throw unreadable(associated); // without its cause, which says no more than that
  }
  return clear;
}

/** The id of the data key that sealed this text; null: it is no sealed text. */
export function dataKeyIdOf(text: string): string | null {
  return HEAD.exec(text)?.[1] ?? null;
}

/** The same of sealed bytes. */
export function dataKeyIdOfBytes(sealed: Uint8Array): string | null {
  return BYTES_HEAD.exec(headOf(sealed))?.[1] ?? null;
}

/** What sealed bytes begin with: names their data key to `DataKeys.opener`. */
export function headOf(sealed: Uint8Array): string {
  return Buffer.from(sealed.subarray(0, HEAD_LENGTH)).toString("latin1");
}

/** The ids of all data keys that a text names, whatever stands around them; it may name some that never were. */
export function dataKeyIdsIn(text: string): string[] {
  return (text.match(ANYWHERE) ?? []).map((head) => head.slice(3, -1));
}

/** The first of them; null: it names none. */
export function firstDataKeyIdIn(text: string): string | null {
  return FIRST.exec(text)?.[1] ?? null;
}

export function unreadable({ operation, jobId, field }: SealedFor): SatyapanError {
  return new SatyapanError(
    ErrorCode.UNREADABLE,
    `the sealed ${field} of job ${jobId} (${operation}) does not open: it was altered, cut off, or sealed for something else`,
  );
}

/** With their lengths in front, because that is unambiguous: no two lists of texts have the same one. */
function additionalData(version: string, keyId: string, { operation, jobId, field }: SealedFor): Buffer {
  return Buffer.from(`${version}|${keyId}|${operation.length}:${operation}|${jobId.length}:${jobId}|${field}`);
}
