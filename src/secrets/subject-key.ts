import { createHmac } from "node:crypto";
import { Secret } from "./secret.ts";

/** By which value a person is known. */
export type SubjectKind = "aadhaar" | "mobile";

/** 128 bits: no two of a billion persons meet by chance, and Redis keeps 22 characters instead of 43. */
const DIGEST_BYTES = 16;

/**
 * How a person is known in Redis: HMAC-SHA-256 of the value, 22 characters of base64url. Keyed, because there are few
 * enough Aadhaar and mobile numbers to try them all against a bare hash.
 */
export function subjectKey(key: Secret, kind: SubjectKind, value: string): string {
  return digest(key, ["satyapan/subject/1", kind, value]);
}

/**
 * Tells whether the same id came with another input: equal for inputs that are the same JSON with their secrets opened,
 * whatever the order of their fields. 22 characters of base64url, keyed as `subjectKey` is.
 * @throws TypeError for what JSON cannot carry (a function, a Date, NaN)
 */
export function inputDigest(key: Secret, operation: string, input: Readonly<Record<string, unknown>>): string {
  return digest(key, ["satyapan/input/1", operation, canonicalJson(input)]);
}

/** The first part keeps the uses of one key apart; the JSON array keeps the parts apart. */
function digest(key: Secret, parts: readonly string[]): string {
  // With the bytes it takes four times as long.
  return createHmac("sha256", key.asKey())
    .update(JSON.stringify(parts))
    .digest()
    .subarray(0, DIGEST_BYTES)
    .toString("base64url");
}

/** JSON with sorted fields and opened secrets; a field that is undefined is left out, as JSON does. */
function canonicalJson(value: unknown): string {
  if (value instanceof Secret) return JSON.stringify(value.open());
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (value === null || typeof value === "string" || typeof value === "boolean") return JSON.stringify(value);
  if (typeof value === "number" && Number.isFinite(value)) return JSON.stringify(value);
  if (!isPlainObject(value)) throw new TypeError(`a job's input cannot hold a ${typeof value} that is not JSON`);
  const fields = Object.keys(value)
    .filter((name) => value[name] !== undefined)
    .toSorted();
  return `{${fields.map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name])}`).join(",")}}`;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
