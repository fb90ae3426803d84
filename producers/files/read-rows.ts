import { CsvError, parse } from "csv-parse/sync";
import { InputError } from "../../src/operations/input-error.ts";
import { inputOfRow } from "../../src/operations/row-input.ts";
import { ErrorCode, SatyapanError } from "../../src/error.ts";

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
 * The rows of a CSV file (header = field names) or of an NDJSON file (`.ndjson`, `.jsonl`), by the name's ending.
 * Throws SatyapanError `bad-file` that names the line and never quotes what stands there: it may be a person's number.
 */
export function readRows(path: string, text: string): Row[] {
  if (text.includes("\uFFFD") || text.includes("\0")) {
    throw badFile(path, null, "is not text in UTF-8; save it as such (in a spreadsheet: CSV UTF-8)");
  }
  const plain = text.replace(/^\uFEFF/, "");
  const rows = /\.(ndjson|jsonl)$/i.test(path) ? ndjsonRows(path, plain) : csvRows(path, plain);
  if (rows.length === 0) throw badFile(path, null, "has no rows");
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
  const [header, ...records] = parseCsv(path, text);
  if (header === undefined) return [];
  checkHeader(path, header);
  return records.map(({ line, cells }) => {
    // A column named `__proto__` is a field like any other: it must not get lost here.
    const row = Object.fromEntries(header.cells.map((name, column) => [name, cells[column] ?? ""]));
    try {
      return { line, input: inputOfRow(row) };
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

function parseCsv(path: string, text: string): CsvRecord[] {
  try {
    // Spreadsheets end files with rows of empty cells.
    const options = { skip_empty_lines: true, skip_records_with_empty_values: true, trim: true, info: true } as const;
    const parsed = parse(text, options) as unknown as {
      readonly info: { readonly lines: number };
      readonly record: readonly string[];
    }[];
    return parsed.map(({ info, record }) => ({ line: info.lines - newlines(record), cells: record }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error["lines"] === "number" ? error["lines"] : null;
    const ragged = error.code === "CSV_RECORD_INCONSISTENT_FIELDS_LENGTH";
    const fault = ragged ? "does not have as many cells as the header" : FAULTS.get(error.code);
    throw badFile(path, line, fault ?? `is not CSV (${error.code})`);
  }
}

/** csv-parse counts the line where a record ends. */
function newlines(cells: readonly string[]): number {
  return cells.reduce((sum, cell) => sum + (cell.match(/\r\n|\n|\r/g)?.length ?? 0), 0);
}

/** Columns are told by their places: without a header line, their names are the first person's numbers. */
function checkHeader(path: string, { line, cells: names }: CsvRecord): void {
  for (const [column, name] of names.entries()) {
    if (name === "") throw badFile(path, line, `column ${column + 1} has no name`);
    const first = names.indexOf(name);
    if (first !== column) throw badFile(path, line, `columns ${first + 1} and ${column + 1} have the same name`);
  }
}

function badFile(path: string, line: number | null, what: string): SatyapanError {
  const where = line === null ? `${path} ` : `${path} line ${line}: `;
  return new SatyapanError(ErrorCode.BAD_FILE, `${where}${what}`);
}
