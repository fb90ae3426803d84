import { pipeline, Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { cleanCell } from "../../src/operations/spreadsheet-trace.ts";
import { badFile, decodeText, MOST_LINE, newlines } from "./decode-text.ts";
import { gunzipped } from "./gunzip.ts";

/** One row of a file, exactly as it stands there. */
export interface TableRow {
  /** Where it begins: from 1, the header's line included. */
  readonly line: number;
  /** The line of the header; null: NDJSON has none. */
  readonly headerLine: number | null;
  /** Names of the columns; one and the same list for all rows of a CSV file. */
  readonly columns: readonly string[];
  /** One for each column; text in a CSV file. Empty columns without a name may follow. */
  readonly cells: readonly unknown[];
}

/** What csv-parse's codes mean. */
const FAULTS: ReadonlyMap<string, string> = new Map([
  ["CSV_QUOTE_NOT_CLOSED", 'a quote (") is opened in this row and never closed'],
  ["CSV_INVALID_CLOSING_QUOTE", 'text follows a closing quote ("); a quote inside a quoted cell is written twice'],
  ["INVALID_OPENING_QUOTE", 'a quote (") stands inside a cell that does not begin with one'],
  [
    "CSV_MAX_RECORD_SIZE",
    `this row has more than ${MOST_LINE} characters: a quote (") is opened in it and never closed, or it is no table of persons`,
  ],
]);
/** Found where the row ends, which may be the end of the file: told where it begins. */
const OF_THE_ROW: ReadonlySet<string> = new Set(["CSV_QUOTE_NOT_CLOSED", "CSV_MAX_RECORD_SIZE"]);

/** Columns of one table. */
const MOST_COLUMNS = 1_000;

/** All of it, or pieces that are read as they come. */
export type Content = string | Uint8Array | AsyncIterable<Uint8Array>;

/**
 * The rows of a CSV file (cells apart by commas, semicolons, tabs or bars) or of an NDJSON file (`.ndjson`, `.jsonl`), also
 * within gzip, by the name's ending; without a name (standard input, null) by how it begins. One at a time: a file of any
 * size takes little memory.
 * Throws SatyapanError `bad-file` that names the line and never quotes what stands there: it may be a person's number.
 */
export async function* readTable(
  path: string | null,
  content: Content,
  name = path ?? "standard input",
): AsyncGenerator<TableRow> {
  const isWhole = typeof content === "string" || content instanceof Uint8Array;
  const bytes = isWhole ? Readable.from([Buffer.from(content)]) : content;
  const text = await beginning(name, decodeText(name, gunzipped(name, bytes)));
  const isNdjson = path === null ? /^\s*\{/.test(text.head) : /\.(ndjson|jsonl)(\.gz)?$/i.test(path);
  let isEmpty = true;
  for await (const row of isNdjson ? ndjsonRows(name, text) : csvRows(name, text)) {
    isEmpty = false;
    yield row;
  }
  if (isEmpty) throw badFile(name, null, "has no rows");
}

interface Begun {
  /** To the end of the first line that is not blank, or of the text; often more. */
  readonly head: string;
  /** What comes after it. */
  readonly rest: AsyncIterable<string>;
}

async function beginning(path: string, text: AsyncGenerator<string, void>): Promise<Begun> {
  let head = "";
  // No regular expression: one that looks for the line's end from every place takes minutes for a megabyte without any.
  while (head.indexOf("\n", Math.max(0, head.search(/\S/))) === -1 || head.trim() === "") {
    const { done, value } = await text.next();
    if (done === true) break;
    head += value;
    if (head.length > 2 * MOST_LINE) throw badFile(path, null, `begins with more than ${MOST_LINE} blanks`);
  }
  return { head, rest: text };
}

async function* ndjsonRows(path: string, text: Begun): AsyncGenerator<TableRow> {
  let line = 0;
  let open = "";
  for await (const piece of whole(text)) {
    const lines = `${open}${piece}`.split("\n");
    open = lines.pop() ?? "";
    for (const one of lines) yield* ndjsonRow(path, ++line, one);
  }
  yield* ndjsonRow(path, ++line, open);
}

function ndjsonRow(path: string, line: number, text: string): TableRow[] {
  if (text.trim() === "") return [];
  const input = parsedOrNull(text);
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw badFile(path, line, "is not a JSON object; an NDJSON file has one in each line");
  }
  const columns = Object.keys(input);
  checkCount(path, line, columns.length);
  return [{ line, headerLine: null, columns, cells: Object.values(input) }];
}

/** Null also for what is no JSON: the parser's message would quote it. */
function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

async function* whole({ head, rest }: Begun): AsyncGenerator<string> {
  yield head;
  yield* rest;
}

async function* csvRows(path: string, text: Begun): AsyncGenerator<TableRow> {
  if (/^\s*[[{]/.test(text.head)) {
    throw badFile(path, null, "looks like JSON: write one object in each line, and name the file .ndjson");
  }
  const { separator, body, skipped } = separatorOf(path, text.head);
  let columns: Columns | null = null;
  for await (const { line, cells } of parseCsv(path, whole({ ...text, head: body }), separator, skipped)) {
    if (columns === null) {
      columns = columnsOf(path, { line, cells }, separator);
      continue;
    }
    checkCells(path, columns, { line, cells });
    if (columns.names.every((name, index) => cleanCell(cells[index] ?? "") === name)) {
      throw badFile(
        path,
        line,
        `repeats the header of line ${columns.line}: two files were put together; remove this line`,
      );
    }
    if (cells.every((cell) => cleanCell(cell) === "")) continue;
    yield { line, headerLine: columns.line, columns: columns.names, cells };
  }
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
  const declared = /^"?sep=(.?)"?\n/i.exec(text);
  if (declared !== null) {
    const separator = declared[1] ?? "";
    if (!SEPARATORS.has(separator)) {
      throw badFile(path, 1, "names no separator that is known: there are sep=, sep=; sep=| and sep= with a tab");
    }
    return { separator, body: text.slice(declared[0].length), skipped: 1 };
  }
  const header = /^\s*(.*)/.exec(text)?.[1] ?? "";
  const bare = header.replaceAll(/"[^"]*"/g, "");
  const counts = [...SEPARATORS.keys()].map((separator) => ({ separator, count: bare.split(separator).length }));
  const most = counts.reduce((best, one) => (one.count > best.count ? one : best));
  return { separator: most.separator, body: text, skipped: 0 };
}

async function* parseCsv(
  path: string,
  text: AsyncIterable<string>,
  delimiter: string,
  skipped: number,
): AsyncGenerator<CsvRecord> {
  let lastEnd = 0;
  const parser = parse({
    ...{ delimiter, record_delimiter: "\n", relax_column_count: true, info: true, ltrim: delimiter !== "\t" },
    // Spreadsheets end files with rows of empty cells.
    ...{ rtrim: delimiter !== "\t", skip_empty_lines: true, skip_records_with_empty_values: true },
    max_record_size: MOST_LINE,
    // At once: what waits to be read when an error comes is dropped.
    on_record: (parsed: string[], { lines }) => {
      lastEnd = lines;
      return parsed;
    },
  });
  // Its errors come out of the parser.
  pipeline(Readable.from(text), parser, () => {});
  try {
    for await (const parsed of parser) {
      const { info, record } = parsed as { readonly info: { readonly lines: number }; readonly record: string[] };
      // csv-parse counts the line where a record ends.
      const line = skipped + info.lines - record.reduce((sum, cell) => sum + newlines(cell), 0);
      yield { line, cells: record };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const found = OF_THE_ROW.has(error.code) ? lastEnd + 1 : error["lines"];
    const line = typeof found === "number" ? skipped + found : null;
    throw badFile(path, line, FAULTS.get(error.code) ?? `is not CSV (${error.code})`);
  }
}

interface Columns {
  /** The line of the header. */
  readonly line: number;
  /** Without the empty columns at the end. */
  readonly names: readonly string[];
  /** The number of columns, the empty ones included. */
  readonly width: number;
  readonly separator: string;
}

/** Columns are told by their places: without a header line, their names are the first person's numbers. */
function columnsOf(path: string, header: CsvRecord, separator: string): Columns {
  const all = header.cells.map(cleanCell);
  const names = all.slice(0, all.findLastIndex((name) => name !== "") + 1);
  checkCount(path, header.line, names.length);
  for (const [column, name] of names.entries()) {
    if (name === "") throw badFile(path, header.line, `column ${column + 1} has no name`);
    const first = names.indexOf(name);
    if (first !== column) {
      throw badFile(path, header.line, `columns ${first + 1} and ${column + 1} have the same name`);
    }
  }
  return { line: header.line, names, width: all.length, separator };
}

/** More are no table of persons, and would take minutes to tell apart. */
function checkCount(path: string, line: number, columns: number): void {
  if (columns <= MOST_COLUMNS) return;
  throw badFile(path, line, `has ${columns} columns; at most ${MOST_COLUMNS} are read: it is no table of persons`);
}

/** A row has as many cells as the header, but for the empty columns at the end. */
function checkCells(path: string, { names, width, separator }: Columns, { line, cells }: CsvRecord): void {
  const filled = cells.findLastIndex((cell) => cleanCell(cell) !== "") + 1;
  if (cells.length >= names.length && filled <= names.length) return;
  if (filled > names.length && filled <= width) {
    throw badFile(path, line, `has a value in column ${filled}, which has no name in the header`);
  }
  const remedy =
    cells.length < names.length
      ? "a cell is missing, or a line broke in the middle"
      : `a value that holds a ${SEPARATORS.get(separator) ?? "separator"} must stand in quotes`;
  const [has, wanted] = [filled > names.length ? filled : cells.length, names.length];
  throw badFile(path, line, `has ${has} ${has === 1 ? "cell" : "cells"} where the header has ${wanted}: ${remedy}`);
}
