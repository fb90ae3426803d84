import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { nearest } from "../../src/base/near.ts";
import { fieldOfName, plainName } from "../../src/operations/synonyms.ts";
import { holdsPersonalNumber } from "../rows/shown-cell.ts";
import type { ImportTarget } from "./import-target.ts";

/** What a column of the file is. `shown`: nothing that runs; it is kept for the results, without personal numbers. */
export type ColumnUse = { readonly kind: "field"; readonly field: string } | { readonly kind: "ref" | "shown" };

export interface PlannedColumn {
  readonly name: string;
  readonly use: ColumnUse;
}

/** What was said of columns when the file was given. */
export interface ColumnWishes {
  /** Column → field. */
  readonly map: ReadonlyMap<string, string>;
  /** The column that holds each row's own reference; null: one named `ref`, if there is any. */
  readonly ref: string | null;
}

/** What a reference's column is named where nobody says another. */
const REF = "ref";
const LONGEST_NAME = 100;

/** `--map 'Mobile No=mobile'`: the column and the field. Throws SatyapanError `bad-usage`. */
export function mapFlag(text: string): [column: string, field: string] {
  const at = text.lastIndexOf("=");
  if (at === -1) throw badUsage("--map takes COLUMN=FIELD, such as --map 'Mobile No=mobile'");
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

/** What columns are, as it was said: column and field. Throws SatyapanError `bad-usage`. */
export function parseMap(
  said: readonly (readonly [column: string, field: string])[],
  { name, fields }: ImportTarget,
): Map<string, string> {
  const map = new Map<string, string>();
  for (const [column, field] of said) {
    if (column === "") throw badUsage("--map takes COLUMN=FIELD, such as --map 'Mobile No=mobile'");
    if (!fields.includes(field)) {
      const [near] = nearest(field, fields, 1);
      const hint = near === undefined ? `there are ${fields.join(", ")}` : `did you mean ${near}?`;
      throw badUsage(`--map: ${name} has no field of that name (the one for column \`${column}\`): ${hint}`);
    }
    if (map.has(column)) throw badUsage(`--map: the column \`${column}\` is given twice`);
    const other = Array.from(map).find(([, known]) => known === field)?.[0];
    if (other !== undefined) throw badUsage(`--map: \`${other}\` and \`${column}\` cannot both be ${field}`);
    map.set(column, field);
  }
  return map;
}

/**
 * What each column of a header is: as it was said, by its name, or by what people write for it. Throws SatyapanError `bad-file`
 * that never repeats what may be a value: without a header line, the first row is a person.
 */
export function planColumns(
  file: string,
  columns: readonly string[],
  target: ImportTarget,
  wishes: ColumnWishes,
  isWhole = true,
): PlannedColumn[] {
  for (const [index, name] of columns.entries()) {
    if (!looksLikeValue(name)) continue;
    const message = `column ${index + 1} has a value where its name should stand; the first line must name the columns: \`satyapan batch template ${target.name}\` shows one`;
    throw badFile(file, message);
  }
  const ref = columnNamed(file, columns, wishes.ref, "--ref") ?? (wishes.ref === null ? refAmong(columns) : undefined);
  const wished = new Map(Array.from(wishes.map, ([name, field]) => [columnNamed(file, columns, name, "--map"), field]));
  const taken = new Map<string, string>(Array.from(wished, ([name = "", field]) => [field, name]));
  // An own name goes before what is only like it.
  for (const name of columns)
    if (target.fields.includes(name) && !taken.has(name) && name !== ref) taken.set(name, name);
  const planned = columns.map((name): PlannedColumn => {
    if (name === ref) return { name, use: { kind: "ref" } };
    const field = wished.get(name) ?? fieldOfName(name, target.fields);
    const holder = field === null ? undefined : taken.get(field);
    if (field === null || (holder !== undefined && holder !== name && isSettled(holder, field, wished))) {
      return { name, use: { kind: "shown" } };
    }
    if (holder !== undefined && holder !== name) {
      const message = `the columns \`${holder}\` and \`${name}\` both look like ${field}: say which with --map '${name}=${field}'`;
      throw badFile(file, message);
    }
    taken.set(field, name);
    return { name, use: { kind: "field", field } };
  });
  if (isWhole) refuseMissing(file, columns, target, taken);
  return planned;
}

/** It holds the field by its own name, or because it was said. */
function isSettled(holder: string, field: string, wished: ReadonlyMap<string | undefined, string>): boolean {
  return holder === field || wished.get(holder) === field;
}

function refuseMissing(
  file: string,
  columns: readonly string[],
  { name, needs }: ImportTarget,
  taken: ReadonlyMap<string, string>,
): void {
  const missing = needs.filter((fields) => !fields.some((field) => taken.has(field)));
  if (missing.length === 0) return;
  const fields = missing.map((either) => either.join(" or "));
  const first = missing[0]?.[0] ?? "";
  const shown = columns.slice(0, 20).map((column) => `\`${column}\``);
  const message = `has no column for ${fields.join(", ")}, which ${name} needs; it has ${shown.join(", ")}: name it so, or say which it is with --map 'COLUMN=${first}' (\`satyapan batch template ${name}\` shows a header)`;
  throw badFile(file, message);
}

/** The column that is meant, whatever its capitals and blanks; undefined: none was named. */
function columnNamed(
  file: string,
  columns: readonly string[],
  name: string | null,
  option: string,
): string | undefined {
  if (name === null) return undefined;
  const found =
    columns.find((column) => column === name) ?? columns.find((column) => plainName(column) === plainName(name));
  if (found !== undefined) return found;
  const [near] = nearest(name, columns, 1);
  const hint =
    near === undefined
      ? `there are ${columns.map((column) => `\`${column}\``).join(", ")}`
      : `did you mean \`${near}\`?`;
  throw badFile(file, `has no column \`${name}\`, which ${option} names: ${hint}`);
}

function refAmong(columns: readonly string[]): string | undefined {
  return columns.find((column) => column.toLowerCase() === REF);
}

/** What no column is named and persons' data is: a number, a date, an address of e-mail, or a whole text. */
function looksLikeValue(name: string): boolean {
  return (
    name.length > LONGEST_NAME ||
    holdsPersonalNumber(name) ||
    /\p{Nd}{5}/u.test(name) ||
    /^[\p{Nd}\s.,/:+-]+$/u.test(name)
  );
}

function badFile(file: string, message: string): SatyapanError {
  return new SatyapanError(ErrorCode.BAD_FILE, `${file} ${message}`);
}

function badUsage(message: string): SatyapanError {
  return new SatyapanError(ErrorCode.BAD_USAGE, message);
}
