import { nearest } from "../base/near.ts";
import type { FieldProblem } from "./input-error.ts";
import { fieldOfName } from "./synonyms.ts";

/**
 * What to say of a field that an input does not have; `place` counts from 1. The name is shown only where it looks like
 * one: the "column names" of a CSV file without a header are its first person.
 */
export function unknownField(name: string, place: number, known: readonly string[]): FieldProblem {
  const told = knownName(name, known);
  const why = "its name is not shown, for it may be a value (a CSV file without a header line?)";
  const list = `unknown field: there are ${known.join(", ")}`;
  if (looksLikeName(name)) return { field: name, message: told ?? list, unknown: true };
  return { field: `(field ${place})`, message: told ?? `${list}; ${why}`, unknown: true, hidden: true };
}

/** What to say of a name that is known, or close to one that is; null for any other. */
function knownName(name: string, known: readonly string[]): string | null {
  if (name === "client_ref_id") return "cannot be given: it is made anew for each attempt";
  if (name === "of") return "unknown field: only a verify takes the job of its send";
  const meant = fieldOfName(name, known);
  if (meant !== null) return `unknown field: it is \`${meant}\` here`;
  const near = nearest(name, known, 1)[0];
  return near === undefined ? null : `unknown field: did you mean \`${near}\`?`;
}

/** `otp_ref_id`, `otpRefId`, `consent.method`, but no number and no capitalised word. */
function looksLikeName(name: string): boolean {
  return /^[a-z][A-Za-z0-9_.-]{0,39}$/.test(name) && !/\d{4}/.test(name);
}
