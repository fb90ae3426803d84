import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { FieldProblem } from "../../src/operations/input-error.ts";
import { MOST_MENDED, type MendedRow } from "../batches/batch-repair.ts";
import type { KeptRow } from "../batches/kept-rows.ts";
import type { TableRow } from "../files/read-table.ts";
import { ImportFile, type ImportFileOptions, maskedColumns } from "./import-file.ts";
import { filledIn, hidesSomething, type Mended } from "./mended-row.ts";
import { type ProblemGroup, ProblemGroups } from "./problem-groups.ts";
import { type ResultPlace, resultRow } from "./result-row.ts";

/** What a results file came to, that somebody mended. */
export interface RepairCheck {
  readonly rows: number;
  readonly mended: readonly MendedRow[];
  /** Lines of rows in which everything is as the results had it. */
  readonly unmended: readonly number[];
  /** Rows that came back since these results were written. */
  readonly before: number;
  readonly bad: number;
  readonly problems: readonly ProblemGroup[];
}

export interface RepairOptions extends ImportFileOptions {
  /** Of the batch that the results are of, some hundred rows at a time. */
  readonly kept: (rows: readonly number[]) => Promise<ReadonlyMap<number, KeptRow>>;
  /** Aborted, SatyapanError `interrupted`. */
  readonly signal: AbortSignal;
}

/** Rows that are looked up at once. */
const AT_ONCE = 256;

/**
 * Rows of `batch results` that somebody mended. A cell that is still masked as it was stands for the value of before, where that is kept.
 * Throws SatyapanError `bad-file` for what is no results file.
 */
export async function readRepairs({ kept, signal, table, ...options }: RepairOptions): Promise<RepairCheck> {
  const places = new WeakMap<TableRow, ResultPlace>();
  const faults = new WeakMap<TableRow, readonly FieldProblem[]>();
  const unmended: number[] = [];
  const groups = new ProblemGroups();
  const mended: MendedRow[] = [];
  let [rows, bad, before] = [0, 0, 0];
  const file = new ImportFile({ ...options, table: mendedTable });
  async function* mendedTable(): AsyncGenerator<TableRow> {
    for await (const some of inGroups(table())) {
      if (signal.aborted) throw new SatyapanError(ErrorCode.INTERRUPTED, "stopped; nothing was taken back");
      rows += some.length;
      const read = some.map((given) => {
        const { source, place } = resultRow(file.name, given);
        const columns = file.plan(source);
        return { source, place, columns, isHidden: hidesSomething(source, columns) };
      });
      const known = await kept(read.filter(({ isHidden }) => isHidden).map(({ place }) => place.row));
      for (const { source, place, columns, isHidden } of read) {
        const whole: Mended = { kind: "run", source, problems: [] };
        const found = isHidden ? await filledIn(source, columns, place, known.get(place.row)) : whole;
        if (found.kind === "before") before++;
        else if (found.kind === "unmended") unmended.push(source.line);
        else {
          const row = withoutBlanks(found.source);
          places.set(row, place);
          faults.set(row, found.problems);
          yield row;
        }
      }
    }
  }
  for await (const row of file.rows()) {
    const { ref, subject, input, source } = row;
    const own = faults.get(source) ?? [];
    if (own.length > 0 || row.state === "skipped") {
      bad++;
      groups.add({ ...row, problems: own.length > 0 ? own : row.problems });
      continue;
    }
    const place = places.get(source);
    // One person twice: whose turn comes first is called.
    if (place !== undefined) mended.push({ ...place, ref, subject, input, columns: maskedColumns(row) });
    if (mended.length > MOST_MENDED) throw tooMany(file.name);
  }
  return { rows, mended, unmended, before, bad, problems: groups.list() };
}

/** In NDJSON a text without characters is a value; results have it where a cell was empty. */
function withoutBlanks(row: TableRow): TableRow {
  if (row.headerLine !== null || !row.cells.includes("")) return row;
  const kept = row.columns.flatMap((name, index) =>
    row.cells[index] === "" ? [] : [[name, row.cells[index]] as const],
  );
  return { ...row, columns: kept.map(([name]) => name), cells: kept.map(([, cell]) => cell) };
}

async function* inGroups(rows: AsyncIterable<TableRow>): AsyncGenerator<TableRow[]> {
  let group: TableRow[] = [];
  for await (const row of rows) {
    group.push(row);
    if (group.length < AT_ONCE) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

function tooMany(file: string): SatyapanError {
  const message = `${file}: more than ${MOST_MENDED} rows are mended, which are too many at once: divide the file`;
  return new SatyapanError(ErrorCode.BAD_INPUT, message);
}
