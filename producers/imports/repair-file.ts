import type { z } from "zod";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { FieldProblem } from "../../src/operations/input-error.ts";
import { cleanCell } from "../../src/operations/spreadsheet-trace.ts";
import { isMasked } from "../../src/secrets/mask.ts";
import { Secret } from "../../src/secrets/secret.ts";
import type { MendedRow } from "../batches/batch-repair.ts";
import { plainCell } from "../files/csv-line.ts";
import type { TableRow } from "../files/read-table.ts";
import { planColumns } from "./column-plan.ts";
import { type ImportedRow, ImportFile, type ImportFileOptions, maskedColumns } from "./import-file.ts";
import { type ProblemGroup, ProblemGroups } from "./problem-groups.ts";
import { OF_FILE, OUR_COLUMNS } from "./result-lines.ts";

/** What a results file came to, that somebody mended. */
export interface RepairCheck {
  readonly rows: number;
  readonly mended: readonly MendedRow[];
  /** Lines of rows in which everything is masked as it was. */
  readonly unmended: readonly number[];
  readonly bad: number;
  readonly problems: readonly ProblemGroup[];
}

interface Place {
  readonly row: number;
  readonly repaired: number;
}

const REF = "ref";
/** What says which row of which time it is. */
const NEEDED = ["row", "repaired"];

/** Rows of `batch results` as CSV, in which somebody filled in what was masked: of a mended row everything, from the file it came of. */
export async function readRepairs({ table, ...options }: ImportFileOptions): Promise<RepairCheck> {
  const places = new WeakMap<TableRow, Place>();
  const unmended: number[] = [];
  const groups = new ProblemGroups();
  const mended: MendedRow[] = [];
  let [rows, bad] = [0, 0];
  async function* mendedTable(): AsyncGenerator<TableRow> {
    for await (const given of table()) {
      rows++;
      const { source, place } = ownPart(options.path ?? "standard input", given);
      places.set(source, place);
      if (isUntouched(source, options)) unmended.push(source.line);
      else yield source;
    }
  }
  for await (const row of new ImportFile({ ...options, table: mendedTable }).rows()) {
    const half = halfMended(row);
    if (half.length > 0 || row.state === "skipped") {
      bad++;
      groups.add({ ...row, problems: half.length > 0 ? half : row.problems });
      continue;
    }
    const { ref, subject, input, source } = row;
    const place = places.get(source);
    // One person twice: whose turn comes first is called.
    if (place !== undefined) mended.push({ ...place, ref, subject, input, columns: maskedColumns(row) });
  }
  return { rows, mended, unmended, bad, problems: groups.list() };
}

/** The row's own columns as they were in its file, and which row of the batch it is. */
function ownPart(file: string, row: TableRow): { readonly source: TableRow; readonly place: Place } {
  const { columns, cells, headerLine, line } = row;
  if (headerLine === null || NEEDED.some((name) => !columns.includes(name))) throw noResults(file);
  const own = columns.flatMap((name, index) => {
    if (OUR_COLUMNS.includes(name) && name !== REF) return [];
    const original = name.endsWith(OF_FILE) ? name.slice(0, -OF_FILE.length) : name;
    const cell = cells[index];
    const isOurs = OUR_COLUMNS.includes(original) && original !== REF;
    return [{ name: isOurs ? original : name, cell: typeof cell === "string" ? plainCell(cell) : "" }];
  });
  const numberIn = (name: string): number => {
    const cell = cells[columns.indexOf(name)];
    const text = typeof cell === "string" ? cleanCell(cell) : "";
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

/** Everything that was masked is: of what else somebody changed nothing can be made without it. */
function isUntouched(source: TableRow, { path, target, wishes }: Omit<ImportFileOptions, "table">): boolean {
  const columns = planColumns(path ?? "standard input", source.columns, target, wishes);
  const shape: Readonly<Record<string, z.ZodType>> = target.owner.input.shape;
  let masked = 0;
  for (const [index, { use }] of columns.entries()) {
    const cell = source.cells[index];
    if (use.kind !== "field" || typeof cell !== "string") continue;
    if (isMasked(cleanCell(cell))) masked++;
    else if (isPersonal(shape[use.field], cleanCell(cell))) return false;
  }
  return masked > 0;
}

/** Whether a cell was masked when it was written. */
function isPersonal(schema: z.ZodType | undefined, cell: string): boolean {
  if (cell === "" || schema === undefined) return false;
  const read = schema.safeParse(cell);
  return !read.success || read.data instanceof Secret;
}

/** Somebody began to mend it: what is still masked has to be filled in, too. */
function halfMended({ columns, source }: ImportedRow): FieldProblem[] {
  return columns.flatMap(({ use }, index): FieldProblem[] => {
    const cell = source.cells[index];
    if (use.kind !== "field" || typeof cell !== "string" || !isMasked(cleanCell(cell))) return [];
    return [
      {
        field: use.field,
        message: "is still masked: of a row that is mended every cell has to be filled in, from your own file",
      },
    ];
  });
}

function noResults(file: string): SatyapanError {
  const message = `${file} is no results file: \`satyapan batch results BATCH --only failed,rejected,expired --out mended.csv\` writes one (CSV, with its columns ${NEEDED.join(" and ")})`;
  return new SatyapanError(ErrorCode.BAD_FILE, message);
}
