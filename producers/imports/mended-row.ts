import { REPAIRABLE, type RowState } from "../../src/batches/row-state.ts";
import type { FieldProblem } from "../../src/operations/input-error.ts";
import { cleanCell } from "../../src/operations/spreadsheet-trace.ts";
import { clearValues } from "../../src/privacy/sealing/clear-values.ts";
import { isMasked } from "../../src/secrets/mask.ts";
import type { KeptRow } from "../batches/kept-rows.ts";
import type { TableRow } from "../files/read-table.ts";
import type { PlannedColumn } from "./column-plan.ts";
import type { ResultPlace } from "./result-row.ts";
import { CUT } from "../rows/shown-cell.ts";

/** A row of results: to run again, or why not; `before`: it came back since these results were written. */
export type Mended =
  | { readonly kind: "run"; readonly source: TableRow; readonly problems: readonly FieldProblem[] }
  | { readonly kind: "unmended" }
  | { readonly kind: "before" };

interface FieldCell {
  readonly index: number;
  readonly field: string;
  readonly column: string;
  readonly text: string;
  /** It is shown, and not what it was: masked, or cut off. */
  readonly isHidden: boolean;
}

function fieldsOf({ cells }: TableRow, columns: readonly PlannedColumn[]): FieldCell[] {
  return columns.flatMap(({ name: column, use }, index): FieldCell[] => {
    if (use.kind !== "field") return [];
    const cell = cells[index];
    const text = typeof cell === "string" ? cleanCell(cell) : JSON.stringify(cell ?? "");
    return [{ index, field: use.field, column, text, isHidden: isMasked(text) || text.endsWith(CUT) }];
  });
}

export function hidesSomething(row: TableRow, columns: readonly PlannedColumn[]): boolean {
  return fieldsOf(row, columns).some(({ isHidden }) => isHidden);
}

/** A row some of whose fields are hidden: with the values of before in place of those. Columns that run nothing do not count: spreadsheets change dates by themselves. */
export async function filledIn(
  source: TableRow,
  columns: readonly PlannedColumn[],
  place: ResultPlace,
  kept: KeptRow | undefined,
): Promise<Mended> {
  const fields = fieldsOf(source, columns);
  const was = ({ column }: FieldCell): string => cleanCell(kept?.columns?.[column] ?? "");
  const isAsItWas = (cell: FieldCell): boolean =>
    cell.text === was(cell) || (cell.isHidden && cell.text.toUpperCase() === was(cell).toUpperCase());
  if (kept === undefined || kept.repaired < place.repaired)
    return { kind: "run", source, problems: [says("row", "is of another batch, or newer than this one")] };
  if (kept.repaired > place.repaired) return { kind: "before" };
  if (fields.every((cell) => isAsItWas(cell) || (kept.columns === null && cell.isHidden))) return { kind: "unmended" };
  if (!(REPAIRABLE as readonly RowState[]).includes(kept.state))
    return { kind: "run", source, problems: [says("row", notThis(kept.state))] };
  const values = clearValues((await kept.input()) ?? {});
  const cells = [...source.cells];
  const problems: FieldProblem[] = [];
  for (const cell of fields.filter(({ isHidden }) => isHidden)) {
    const value = values[cell.field];
    if (!isAsItWas(cell)) problems.push(says(cell.field, OTHER_MASK));
    else if (typeof value === "string") cells[cell.index] = value;
    else problems.push(says(cell.field, NOT_KEPT));
  }
  return { kind: "run", source: { ...source, cells }, problems };
}

const OTHER_MASK = "is masked, and not as the results had it: fill in the whole value, or leave it as it was";
const NOT_KEPT =
  "is still masked, and what it was is not kept: it is while the batch is not over, and then of rows that `failed`; fill it in, from your own file";

function notThis(state: RowState): string {
  const settle = state === "unknown" ? ": it may have happened; settle it first (`satyapan settle`)" : "";
  return `is ${state}${settle}; rows that were ${REPAIRABLE.join(", ")} may run again: leave this one out`;
}

function says(field: string, message: string): FieldProblem {
  return { field, message };
}
