import { CsvError, parse } from "csv-parse/sync";
import { InputError } from "../../src/operations/input-error.ts";
import { inputOfRow } from "../../src/operations/row-input.ts";
import { cleanCell } from "../../src/operations/spreadsheet-trace.ts";
import { badFile, checkText, decodeText } from "./decode-text.ts";

/** One row of a file as it stands there: not checked yet. */
export interface Row {
  /** Where it begins: from 1, the header's line included. */
  readonly line: number;
  readonly input: Readonly<Record<string, unknown>>;
}

/** What csv-parse's codes mean. */
const FAULTS: ReadonlyMap<string, string> = new Map([
  ["CSV_QUOTE_NOT_CLOSED", 'a quote (") is opened before the end of the file and never closed'],
  ["CSV_INVALID_CLOSING_QUOTE", 'text follows a closing quote ("); a quote inside a quoted cell is written twice'],
  ["INVALID_OPENING_QUOTE", 'a quote (") stands inside a cell that does not begin with one'],
]);

/**
 * The rows of a CSV file (header = field names; cells apart by commas, semicolons or tabs) or of an NDJSON file (`.ndjson`,
 * `.jsonl`), by the name's ending; without a name (standard input, null) by how it begins. `content`: bytes, or their text.
 * Throws SatyapanError `bad-file` that names the line and never quotes what stands there: it may be a person's number.
 */
export function readRows(path: string | null, content: string | Uint8Array): Row[] {
  const name = path ?? "standard input";
  const text = typeof content === "string" ? checkText(name, content) : decodeText(name, content);
  const isNdjson = path === null ? /^\s*\{/.test(text) : /\.(ndjson|jsonl)$/i.test(path);
  const rows = isNdjson ? ndjsonRows(name, text) : csvRows(name, text);
  if (rows.length === 0) throw badFile(name, null, "has no rows");
  return rows;
}

function ndjsonRows(path: string, text: string): Row[] {
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    try {
      const input: unknown = JSON.parse(line);
      if (typeof input === "object" && input !== null && !Array.isArray(input)) {
        return [{ line: index + 1, input: input as Record<string, unknown> }];
      }
    } catch {
      // falls through: the parser's message would quote the line
    }
    throw badFile(path, index + 1, "is not a JSON object; an NDJSON file has one in each line");
  });
}

function csvRows(path: string, text: string): Row[] {
  if (/^\s*[[{]/.test(text)) {
    throw badFile(path, null, "looks like JSON: write one object in each line, and name the file .ndjson");
  }
  const { separator, body, skipped } = separatorOf(path, text);
  const [header, ...records] = parseCsv(path, body, separator, skipped);
  if (header === undefined) return [];
  const names = columnNames(path, header, records, separator);
  return records.flatMap(({ line, cells }) => {
    // A column named `__proto__` is a field like any other: it must not get lost here.
    const row = Object.fromEntries(names.map((name, column) => [name, cells[column] ?? ""]));
    try {
      const input = inputOfRow(row);
      return Object.keys(input).length === 0 ? [] : [{ line, input }];
    } catch (error) {
      if (error instanceof InputError) throw badFile(path, header.line, error.message);
      throw error;
    }
  });
}

interface CsvRecord {
  readonly line: number;
  readonly cells: readonly string[];
}

/** What stands between cells, in the order in which a doubt is decided. */
const SEPARATORS: ReadonlyMap<string, string> = new Map([
  [",", "comma"],
  [";", "semicolon"],
  ["\t", "tab"],
  ["|", "bar"],
]);

/** By a first line `sep=;`, as spreadsheets write and read it; else that of the header, whose names hold none. */
function separatorOf(path: string, text: string): { separator: string; body: string; skipped: number } {
  // Older systems' line ends, also mixed ones.
  const plain = text.includes("\r") ? text.replaceAll(/\r\n?/g, "\n") : text;
  const declared = /^"?sep=(.?)"?\n/i.exec(plain);
  if (declared !== null) {
    const separator = declared[1] ?? "";
    if (!SEPARATORS.has(separator)) {
      throw badFile(path, 1, "names no separator that is known: there are sep=, sep=; sep=| and sep= with a tab");
    }
    return { separator, body: plain.slice(declared[0].length), skipped: 1 };
  }
  const header = /^\s*(.*)/.exec(plain)?.[1] ?? "";
  const bare = header.replaceAll(/"[^"]*"/g, "");
  const counts = [...SEPARATORS.keys()].map((separator) => ({ separator, count: bare.split(separator).length }));
  const most = counts.reduce((best, one) => (one.count > best.count ? one : best));
  return { separator: most.separator, body: plain, skipped: 0 };
}

function parseCsv(path: string, text: string, delimiter: string, skipped: number): CsvRecord[] {
  try {
    const options = {
      ...{ delimiter, record_delimiter: "\n", relax_column_count: true, info: true, ltrim: delimiter !== "\t" },
      // Spreadsheets end files with rows of empty cells.
      ...{ rtrim: delimiter !== "\t", skip_empty_lines: true, skip_records_with_empty_values: true },
    } as const;
    const parsed = parse(text, options) as unknown as {
      readonly info: { readonly lines: number };
      readonly record: readonly string[];
    }[];
    return parsed.map(({ info, record }) => ({ line: skipped + info.lines - newlines(record), cells: record }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error["lines"] === "number" ? skipped + error["lines"] : null;
    throw badFile(path, line, FAULTS.get(error.code) ?? `is not CSV (${error.code})`);
  }
}

/** csv-parse counts the line where a record ends. */
function newlines(cells: readonly string[]): number {
  return cells.reduce((sum, cell) => sum + cell.split("\n").length - 1, 0);
}

/**
 * The header's names. Empty columns at the end are left out, of rows too; else a row has as many cells as the header.
 * Columns are told by their places: without a header line, their names are the first person's numbers.
 */
function columnNames(path: string, header: CsvRecord, records: readonly CsvRecord[], separator: string): string[] {
  const all = header.cells.map(cleanCell);
  const names = all.slice(0, all.findLastIndex((name) => name !== "") + 1);
  for (const [column, name] of names.entries()) {
    if (name === "") throw badFile(path, header.line, `column ${column + 1} has no name`);
    const first = names.indexOf(name);
    if (first !== column) {
      throw badFile(path, header.line, `columns ${first + 1} and ${column + 1} have the same name`);
    }
  }
  for (const { line, cells } of records) {
    const filled = cells.findLastIndex((cell) => cleanCell(cell) !== "") + 1;
    if (cells.length >= names.length && filled <= names.length) continue;
    if (filled > names.length && filled <= all.length) {
      throw badFile(path, line, `has a value in column ${filled}, which has no name in the header`);
    }
    const remedy =
      cells.length < names.length
        ? "a cell is missing, or a line broke in the middle"
        : `a value that holds a ${SEPARATORS.get(separator) ?? "separator"} must stand in quotes`;
    const [has, wanted] = [filled > names.length ? filled : cells.length, names.length];
    throw badFile(path, line, `has ${has} ${has === 1 ? "cell" : "cells"} where the header has ${wanted}: ${remedy}`);
  }
  return names;
}
