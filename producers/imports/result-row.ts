import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { cleanCell } from "../../src/operations/spreadsheet-trace.ts";
import { plainCell } from "../files/csv-line.ts";
import type { TableRow } from "../files/read-table.ts";
import { OF_FILE, OUR_COLUMNS } from "./result-lines.ts";

/** Which row of the batch a line of its results is, and how often it had been mended then. */
export interface ResultPlace {
  readonly row: number;
  readonly repaired: number;
}

const REF = "ref";
/** What says which row of which time it is. */
const NEEDED = ["row", "repaired"];
/** Where NDJSON has the file's own columns. */
const COLUMNS = "columns";

/**
 * A line of `batch results`, CSV or NDJSON, as the row that stood in the batch's own file. Throws SatyapanError `bad-file` for what is
 * none.
 */
export function resultRow(file: string, row: TableRow): { readonly source: TableRow; readonly place: ResultPlace } {
  const { columns, cells, headerLine, line } = row;
  if (NEEDED.some((name) => !columns.includes(name))) throw noResults(file);
  const own = headerLine === null ? ofDocument(file, row) : ofTable(row);
  const numberIn = (name: string): number => {
    const cell = cells[columns.indexOf(name)];
    const text = typeof cell === "string" ? cleanCell(cell) : JSON.stringify(cell);
    if (/^\d{1,7}$/.test(text)) return Number(text);
    throw new SatyapanError(
      ErrorCode.BAD_FILE,
      `${file} line ${line}: \`${name}\` must be the number that the results had`,
    );
  };
  return {
    source: { line, headerLine, columns: own.map(({ name }) => name), cells: own.map(({ cell }) => cell) },
    place: { row: numberIn("row"), repaired: numberIn("repaired") },
  };
}

interface OwnCell {
  readonly name: string;
  readonly cell: unknown;
}

function ofTable({ columns, cells }: TableRow): OwnCell[] {
  return columns.flatMap((name, index) => {
    if (OUR_COLUMNS.includes(name) && name !== REF) return [];
    const original = name.endsWith(OF_FILE) ? name.slice(0, -OF_FILE.length) : name;
    const cell = cells[index];
    const isOurs = OUR_COLUMNS.includes(original) && original !== REF;
    return [{ name: isOurs ? original : name, cell: typeof cell === "string" ? plainCell(cell) : "" }];
  });
}

function ofDocument(file: string, { columns, cells }: TableRow): OwnCell[] {
  const own = cells[columns.indexOf(COLUMNS)];
  if (typeof own !== "object" || own === null || Array.isArray(own)) throw noResults(file);
  const ref = cells[columns.indexOf(REF)];
  return [
    ...Object.entries(own).map(([name, cell]: [string, unknown]) => ({
      name: name === REF ? `${REF}${OF_FILE}` : name,
      cell,
    })),
    ...(ref === undefined || ref === null ? [] : [{ name: REF, cell: ref }]),
  ];
}

function noResults(file: string): SatyapanError {
  const message = `${file} is no results file: \`satyapan batch results BATCH --only failed,rejected,expired --out mended.csv\` writes one (CSV or NDJSON, with its columns ${NEEDED.join(" and ")})`;
  return new SatyapanError(ErrorCode.BAD_FILE, message);
}
