import { Secret } from "../../secrets/secret.ts";
import type { Opener } from "./opener.ts";
import { type SealedFor, type Sealer, unreadable } from "./sealed-text.ts";

/** The fields of one job's input, as they are stored. */
export interface SealedFields {
  readonly plain: Readonly<Record<string, unknown>>;
  /** Sealed texts by field, or all of them in one: it takes a third of the time to open. */
  readonly sealed: Readonly<Record<string, string>> | string;
}

/** What a text that holds all of an input's secrets is bound to, in place of a field's name. */
export const WHOLE = "input";

type Job = Omit<SealedFor, "field">;

/**
 * Splits a parsed input: fields that are `Secret` are sealed, each for itself or all in one piece, as the sealer does; the others
 * stay as they are.
 * @throws TypeError where a `Secret` is inside a plain field: stored, it would be its mask, and the value lost
 */
export function sealFields(sealer: Sealer, input: Readonly<Record<string, unknown>>, job: Job): SealedFields {
  const plain: [string, unknown][] = [];
  const secret: [string, string][] = [];
  for (const [field, value] of Object.entries(input)) {
    if (value instanceof Secret) secret.push([field, value.open()]);
    else if (holdsSecret(value)) throw new TypeError(`the field ${field} of ${job.operation} has a Secret inside it`);
    else plain.push([field, value]);
  }
  return { plain: Object.fromEntries(plain), sealed: sealAll(sealer, secret, job) };
}

function sealAll(sealer: Sealer, secret: readonly (readonly [string, string])[], job: Job): SealedFields["sealed"] {
  if (sealer.sealsWhole && secret.length > 0)
    return sealer.seal(JSON.stringify(Object.fromEntries(secret)), { ...job, field: WHOLE });
  return Object.fromEntries(secret.map(([field, clear]) => [field, sealer.seal(clear, { ...job, field })]));
}

/**
 * The input in clear, as plain JSON values for the operation's schema: only for the code that builds the provider request.
 * @throws SatyapanError as `Opener.open`
 */
export function openFields(opener: Opener, { plain, sealed }: SealedFields, job: Job): Record<string, unknown> {
  if (typeof sealed === "string") return { ...plain, ...openWhole(opener, sealed, job) };
  const opened = Object.entries(sealed).map(([field, text]): [string, string] => [
    field,
    opener.open(text, { ...job, field }),
  ]);
  return { ...plain, ...Object.fromEntries(opened) };
}

function openWhole(opener: Opener, text: string, job: Job): object {
  const associated = { ...job, field: WHOLE };
  const clear = opener.open(text, associated);
  try {
    const fields: unknown = JSON.parse(clear);
    if (typeof fields === "object" && fields !== null) return fields;
  } catch {
    // without its cause, which quotes what was sealed
  }
  throw unreadable(associated);
}

function holdsSecret(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return value instanceof Secret || Object.values(value).some(holdsSecret);
}
