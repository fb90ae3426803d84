import { rowJobId } from "../../src/batches/keys.ts";
import type { RowResult } from "../../src/batches/row-result.ts";
import { csvLine, safeCell } from "../files/csv-line.ts";
import { whatToDo } from "../report/what-to-do.ts";

export const RESULT_FORMATS = ["csv", "ndjson"] as const;
export type ResultFormat = (typeof RESULT_FORMATS)[number];

/** Beside the file's own columns. */
export const OUR_COLUMNS: readonly string[] = [
  ...["row", "ref", "state", "code", "reason", "what_to_do", "attempts", "client_ref_id", "references"],
  ...["started_at", "ended_at", "repaired", "asked_again"],
];

/** Behind the name of a column of the file that one of ours has, too. */
export const OF_FILE = " (file)";

/**
 * The results of a batch as lines of a file: its own columns, masked, and what became of each row. CSV has a byte order mark, so that
 * spreadsheets read it, and no cell that they would run; its columns are those of the first row.
 */
export async function* resultLines(
  batch: string,
  rows: AsyncIterable<RowResult>,
  format: ResultFormat,
): AsyncGenerator<string> {
  let columns: readonly string[] | null = null;
  for await (const row of rows) {
    const todo = whatToDo(row.state, batch, jobOf(batch, row));
    if (format === "ndjson") {
      yield `${JSON.stringify({ ...row, what_to_do: todo })}\n`;
      continue;
    }
    if (columns === null) {
      columns = Object.keys(row.columns);
      yield header(columns);
    }
    const own = columns.map((name) => row.columns[name] ?? "");
    yield csvLine([...own, ...cellsOf(row, todo)].map(safeCell));
  }
  // No row at all is a table, too.
  if (format === "csv" && columns === null) yield header([]);
}

/** The job to decide about: of a flow that of the step where it stopped. */
function jobOf(batch: string, { row, repaired, asked_again, result }: RowResult): string {
  const job = result?.["job"];
  return typeof job === "string" ? job : rowJobId(batch, row, repaired + asked_again);
}

function header(columns: readonly string[]): string {
  // A column of the file that has a name of ours would be there twice.
  const own = columns.map((name) => (OUR_COLUMNS.includes(name) ? `${name}${OF_FILE}` : name));
  return `\uFEFF${csvLine([...own, ...OUR_COLUMNS].map(safeCell))}`;
}

function cellsOf(result: RowResult, todo: string): string[] {
  const { row, ref, state, code, reason, attempts, client_ref_id, started_at, ended_at, repaired, asked_again } =
    result;
  const references = Object.entries(result.result ?? {}).map(([name, value]) => `${name}=${textOf(value)}`);
  return [
    ...[String(row), ref ?? "", state, code ?? "", reason ?? "", todo, String(attempts), client_ref_id ?? ""],
    ...[references.join("; "), started_at ?? "", ended_at ?? "", String(repaired), String(asked_again)],
  ];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
