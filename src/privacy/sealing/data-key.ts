import { createSecretKey, randomBytes, type KeyObject } from "node:crypto";
import { ErrorCode, SatyapanError } from "../../base/error.ts";

/** AES-256 and HMAC-SHA-256 both take 32 bytes. */
export const KEY_BYTES = 32;
/** GCM's own nonce length: 96 bits. */
export const NONCE_BYTES = 12;
const ID_LENGTH = 12;
const ID_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";
const DAY_MS = 86_400_000;
const DAY_SCOPE = /^day:(\d{4}-\d{2}-\d{2})$/;
const BATCH_SCOPE = /^batch:[A-Za-z0-9._-]{1,64}$/;

/** What one data key seals, and what is destroyed with it: `day:2026-11-21` (UTC) or `batch:NAME`. */
export type KeyScope = `day:${string}` | `batch:${string}`;

/** Seals values. In clear only in memory; stored wrapped by a `KeyProvider`. */
export interface DataKey {
  /** 12 characters of `[0-9a-z]`, random. */
  readonly id: string;
  readonly scope: KeyScope;
  /** Cannot be printed, and seals four times as fast as its bytes. */
  readonly key: KeyObject;
}

/** A new key with its bytes, which the caller wraps and then overwrites (`fill(0)`). */
export function newDataKey(scope: KeyScope): { readonly dataKey: DataKey; readonly bytes: Uint8Array } {
  const bytes = randomBytes(KEY_BYTES);
  return { dataKey: dataKeyOf(newId(), scope, bytes), bytes };
}

/** Throws RangeError for another length: AES-256 takes 32 bytes. */
export function dataKeyOf(id: string, scope: KeyScope, bytes: Uint8Array): DataKey {
  if (bytes.length !== KEY_BYTES) throw new RangeError(`a data key has ${KEY_BYTES} bytes, not ${bytes.length}`);
  return { id, scope, key: createSecretKey(bytes) };
}

/** What a wrapped key is bound to: under another id or scope it does not unwrap. */
export function wrapContext(id: string, scope: string): string {
  return `satyapan/data-key/1|${id}|${scope}`;
}

/** The scope of what arrives at this time, ms. */
export function dayScope(now: number): KeyScope {
  // Asked once a job: `toISOString` takes five times as long.
  const time = new Date(now);
  const [month, day] = [time.getUTCMonth() + 1, time.getUTCDate()];
  return `day:${String(time.getUTCFullYear()).padStart(4, "0")}-${twoDigits(month)}-${twoDigits(day)}`;
}

function twoDigits(number: number): string {
  return number < 10 ? `0${number}` : String(number);
}

/** The scope of what comes of a job: its batch's, so that it is shredded with it, otherwise the day of its own. */
export function resultScope(inputScope: KeyScope | null, now: number): KeyScope {
  return inputScope !== null && BATCH_SCOPE.test(inputScope) ? inputScope : dayScope(now);
}

/** Throws SatyapanError `bad-input` for a name that is none. */
export function batchScope(name: string): KeyScope {
  const scope = `batch:${name}`;
  if (isKeyScope(scope)) return scope;
  throw new SatyapanError(ErrorCode.BAD_INPUT, "batch: 1 to 64 characters of A-Z a-z 0-9 . _ - are allowed");
}

/**
 * Of a batch's own rows and results, apart from the records of its jobs (`batchScope`): destroying the key of one job's record, which
 * seals the others anew, must not take the rows with it.
 */
export function batchRowsScope(id: string): KeyScope {
  return `batch:${id}.rows`;
}

export function isKeyScope(text: string): text is KeyScope {
  const day = DAY_SCOPE.exec(text)?.[1];
  return day === undefined ? BATCH_SCOPE.test(text) : !Number.isNaN(Date.parse(day));
}

/** When a day is over, ms; null: a batch does not say. */
export function scopeEnd(scope: KeyScope): number | null {
  const day = DAY_SCOPE.exec(scope)?.[1];
  return day === undefined ? null : Date.parse(day) + DAY_MS;
}

function newId(): string {
  let id = "";
  // 252 = 7 × 36: bytes above it would make some characters likelier than others.
  while (id.length < ID_LENGTH)
    for (const byte of randomBytes(ID_LENGTH))
      if (byte < 252 && id.length < ID_LENGTH) id += ID_ALPHABET[byte % 36] ?? "";
  return id;
}
