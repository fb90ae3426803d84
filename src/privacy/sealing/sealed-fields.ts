import type { Opener } from "./opener.ts";
import { Secret } from "../../secrets/secret.ts";
import type { SealedFor, Sealer } from "./sealed-text.ts";

/** The fields of one job's input, as they are stored. */
export interface SealedFields {
  readonly plain: Readonly<Record<string, unknown>>;
  /** Sealed texts by field. */
  readonly sealed: Readonly<Record<string, string>>;
}

/**
 * Splits a parsed input: fields that are `Secret` are sealed, each for itself, the others stay as they are.
 * @throws TypeError where a `Secret` is inside a plain field: stored, it would be its mask, and the value lost
 */
export function sealFields(
  sealer: Sealer,
  input: Readonly<Record<string, unknown>>,
  { operation, jobId }: Omit<SealedFor, "field">,
): SealedFields {
  const plain: [string, unknown][] = [];
  const sealed: [string, string][] = [];
  for (const [field, value] of Object.entries(input)) {
    if (value instanceof Secret) sealed.push([field, sealer.seal(value.open(), { operation, jobId, field })]);
    else if (holdsSecret(value)) throw new TypeError(`the field ${field} of ${operation} has a Secret inside it`);
    else plain.push([field, value]);
  }
  return { plain: Object.fromEntries(plain), sealed: Object.fromEntries(sealed) };
}

/**
 * The input in clear, as plain JSON values for the operation's schema: only for the code that builds the provider request.
 * @throws SatyapanError as `Opener.open`
 */
export function openFields(
  opener: Opener,
  { plain, sealed }: SealedFields,
  { operation, jobId }: Omit<SealedFor, "field">,
): Record<string, unknown> {
  const opened = Object.entries(sealed).map(([field, text]): [string, string] => [
    field,
    opener.open(text, { operation, jobId, field }),
  ]);
  return { ...plain, ...Object.fromEntries(opened) };
}

function holdsSecret(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return value instanceof Secret || Object.values(value).some(holdsSecret);
}
