import { isUtf8 } from "node:buffer";
import { createCipheriv, createDecipheriv } from "node:crypto";
import { ErrorCode, SatyapanError } from "../error.ts";
import { NONCE_BYTES, type KeyRing } from "./key-ring.ts";
import { Secret } from "./secret.ts";

/** First part of every sealed text: form and algorithm. A new form gets a new one. */
const VERSION = "s1";
const ALGORITHM = "aes-256-gcm";
const TAG_BYTES = 16;
const HEAD = /^s1\.([A-Za-z0-9_-]{1,16})\./;

/** What a sealed value is bound to: moved to another field, job or operation it does not open. */
export interface SealedFor {
  readonly operation: string;
  readonly jobId: string;
  readonly field: string;
}

/** The fields of one job's input, as they are stored. */
export interface SealedFields {
  readonly plain: Readonly<Record<string, unknown>>;
  /** Sealed texts by field. */
  readonly sealed: Readonly<Record<string, string>>;
}

/**
 * `s1.<key id>.<base64url of nonce, ciphertext and tag>`: AES-256-GCM with a fresh random 96-bit nonce.
 * A key seals at most 2^32 values (NIST SP 800-38D §8.3): change it long before.
 * @throws TypeError for bytes that are not UTF-8 text, which is what `unseal` gives back
 */
export function seal(ring: KeyRing, clear: string | Uint8Array, associated: SealedFor): string {
  if (typeof clear !== "string" && !isUtf8(clear))
    throw new TypeError("only text can be sealed: the bytes are not UTF-8");
  const { id, key } = ring.sealing;
  const nonce = ring.nonce();
  const cipher = createCipheriv(ALGORITHM, key, nonce);
  cipher.setAAD(additionalData(id, associated));
  const body = typeof clear === "string" ? cipher.update(clear, "utf8") : cipher.update(clear);
  cipher.final(); // GCM is a stream: nothing more comes, but the tag
  return `${VERSION}.${id}.${Buffer.concat([nonce, body, cipher.getAuthTag()]).toString("base64url")}`;
}

/**
 * The clear text of what `seal` made for the same operation, job and field.
 * @throws SatyapanError `unreadable` for an altered or truncated text, or one sealed for something else, all in the same
 * words, so that no answer tells which; `unknown-key` where the ring has no key of its id
 */
export function unseal(ring: KeyRing, text: string, associated: SealedFor): string {
  const [head, id] = HEAD.exec(text) ?? [];
  if (head === undefined || id === undefined) throw unreadable(associated);
  const found = ring.find(id);
  if (found === undefined) throw unknownKey(id, associated);
  const payload = text.slice(head.length);
  const bytes = Buffer.from(payload, "base64url");
  // Decoding forgives strange characters and spare bits: only the one text that the bytes have is ours.
  if (bytes.length < NONCE_BYTES + TAG_BYTES || bytes.toString("base64url") !== payload) throw unreadable(associated);
  const end = bytes.length - TAG_BYTES;
  const decipher = createDecipheriv(ALGORITHM, found.key, bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(additionalData(id, associated));
  decipher.setAuthTag(bytes.subarray(end));
  const clear = decipher.update(bytes.subarray(NONCE_BYTES, end));
  try {
    decipher.final();
  } catch {
    throw unreadable(associated); // without its cause, which says no more than that
  }
  return clear.toString("utf8");
}

/**
 * Splits a parsed input: fields that are `Secret` are sealed, each for itself, the others stay as they are.
 * @throws TypeError where a `Secret` is inside a plain field: stored, it would be its mask, and the value lost
 */
export function sealFields(
  ring: KeyRing,
  input: Readonly<Record<string, unknown>>,
  job: Omit<SealedFor, "field">,
): SealedFields {
  const plain: [string, unknown][] = [];
  const sealed: [string, string][] = [];
  for (const [field, value] of Object.entries(input)) {
    if (value instanceof Secret) sealed.push([field, seal(ring, value.open(), { ...job, field })]);
    else if (holdsSecret(value)) throw new TypeError(`the field ${field} of ${job.operation} has a Secret inside it`);
    else plain.push([field, value]);
  }
  return { plain: Object.fromEntries(plain), sealed: Object.fromEntries(sealed) };
}

/**
 * The input in clear, as plain JSON values for the operation's schema: only for the code that builds the provider request.
 * @throws SatyapanError as `unseal`
 */
export function openFields(
  ring: KeyRing,
  { plain, sealed }: SealedFields,
  job: Omit<SealedFor, "field">,
): Record<string, unknown> {
  const opened = Object.entries(sealed).map(([field, text]): [string, string] => [
    field,
    unseal(ring, text, { ...job, field }),
  ]);
  return { ...plain, ...Object.fromEntries(opened) };
}

/** A JSON array, because it is unambiguous: no two lists of five texts have the same one. */
function additionalData(keyId: string, { operation, jobId, field }: SealedFor): Buffer {
  return Buffer.from(JSON.stringify([VERSION, keyId, operation, jobId, field]));
}

function holdsSecret(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return value instanceof Secret || Object.values(value).some(holdsSecret);
}

function unreadable({ operation, jobId, field }: SealedFor): SatyapanError {
  return new SatyapanError(
    ErrorCode.UNREADABLE,
    `the sealed ${field} of job ${jobId} (${operation}) does not open: it was altered, cut off, or sealed for something else`,
  );
}

function unknownKey(id: string, { operation, jobId, field }: SealedFor): SatyapanError {
  return new SatyapanError(
    ErrorCode.UNKNOWN_KEY,
    `the sealed ${field} of job ${jobId} (${operation}) needs the key "${id}", which is not among this process's keys: ` +
      "put it back into SATYAPAN_ENCRYPTION_KEYS, after the first, which seals",
  );
}
