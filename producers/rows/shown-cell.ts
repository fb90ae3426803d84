import { findPersonal } from "../../src/secrets/find-personal.ts";
import { LONG_NUMBER } from "../../src/secrets/number-forms.ts";
import { mask } from "../../src/secrets/mask.ts";
import { cleanCell } from "../../src/operations/spreadsheet-trace.ts";
import { Secret } from "../../src/secrets/secret.ts";

/** Without any of these nothing in a text can be a number or an address of a person. */
const SUSPECT = /[\p{Nd}@]/u;
/** Of a cell that nobody needs to run a row, in characters. */
const LONGEST = 200;
/** Stands at the end of what was longer. */
export const CUT = "…";

export function holdsPersonalNumber(text: string): boolean {
  return SUSPECT.test(text) && (LONG_NUMBER.test(text) || findPersonal(text) !== null);
}

/** A cell that is kept to be shown: whole, or hidden where it holds a number of a person. */
export function shownCell(cell: string): string {
  if (holdsPersonalNumber(cell)) return mask("hidden", cell);
  return cell.length > LONGEST ? `${cell.slice(0, LONGEST)}${CUT}` : cell;
}

/** The form of a value, and nothing of what it says: `+XX XXXXX XXXXX`, `aaaa@aaa.aaa`. */
export function formOf(value: unknown): string {
  if (typeof value !== "string") return value === null ? "null" : `a ${Array.isArray(value) ? "list" : typeof value}`;
  const form = value
    .replaceAll(/[\p{L}\p{M}]/gu, "a")
    .replaceAll(/\p{Nd}/gu, "X")
    .replaceAll(/[^Xa\x20-\x7E]/gu, "?");
  return form.length > 32 ? `${form.slice(0, 32)}…` : form;
}

/** What a field was given as, without what is personal in it; `value`: what it is in the checked input. */
export function shownField(given: string, value: unknown): string {
  if (given === "") return "";
  if (value instanceof Secret) return value.toString();
  // Of a bad row's fields nobody knows whether they are a person's.
  return value === undefined ? HIDDEN : shownCell(given);
}

const HIDDEN = new Secret("").toString();

/** A cell as text. */
export function textOf(cell: unknown): string {
  if (typeof cell === "string") return cleanCell(cell);
  return cell === undefined || cell === null ? "" : JSON.stringify(cell);
}
