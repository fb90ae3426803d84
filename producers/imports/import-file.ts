import { assertNever } from "../../src/base/assert-never.ts";
import type { Settings } from "../../src/config/settings.ts";
import { cleanCell } from "../../src/operations/spreadsheet-trace.ts";
import type { TableRow } from "../files/read-table.ts";
import { type ColumnWishes, planColumns, type PlannedColumn } from "./column-plan.ts";
import type { ImportTarget } from "./import-target.ts";
import type { OpenTable } from "./open-table.ts";
import { type CheckedRow, RowChecks } from "../rows/row-checks.ts";
import { shownCell, shownField, textOf } from "../rows/shown-cell.ts";

/** One row of the file, checked. */
export interface ImportedRow extends CheckedRow {
  readonly columns: readonly PlannedColumn[];
  readonly source: TableRow;
}

export interface ImportFileOptions extends OpenTable {
  readonly target: ImportTarget;
  readonly wishes: ColumnWishes;
  readonly settings: Settings;
  readonly now: number;
}

/** A file as the rows of a batch. Gone through from the first row each time, with the same result; memory does not grow with it. */
export class ImportFile {
  readonly name: string;
  readonly target: ImportTarget;
  readonly #options: ImportFileOptions;

  constructor(options: ImportFileOptions) {
    const { name, target } = options;
    this.name = name;
    this.target = target;
    this.#options = options;
  }

  /** Throws SatyapanError `bad-file` for what is no table, or lacks a column. */
  async *rows(): AsyncGenerator<ImportedRow> {
    const { settings, now } = this.#options;
    const checks = new RowChecks({ owner: this.target.owner, settings, now });
    let row = 0;
    let plan: { readonly of: readonly string[]; readonly columns: PlannedColumn[] } | null = null;
    for await (const source of this.#options.table()) {
      if (plan === null || !isSame(plan.of, source.columns)) plan = { of: source.columns, columns: this.plan(source) };
      const { columns } = plan;
      const { raw, ref } = rawOf(source, columns);
      yield { ...checks.check(++row, raw, ref), columns, source };
    }
  }

  /** What its columns are. An object of NDJSON that lacks a field is a bad row; a CSV file without its column is no file for this. */
  plan({ columns, headerLine }: TableRow): PlannedColumn[] {
    const { target, wishes } = this.#options;
    const isTable = headerLine !== null;
    const map = new Map(Array.from(wishes.map).filter(([column]) => isTable || columns.includes(column)));
    const ref = isTable || (wishes.ref !== null && columns.includes(wishes.ref)) ? wishes.ref : null;
    return planColumns(this.name, columns, target, { map, ref }, isTable);
  }
}

/** The row's own columns but its reference, without what is personal in them. */
export function maskedColumns({ input, columns, source }: ImportedRow): Record<string, string> {
  const shown = columns.flatMap(({ name, use }, index): [string, string][] => {
    const cell = textOf(source.cells[index]);
    switch (use.kind) {
      case "ref":
        return [];
      case "shown":
        return [[name, shownCell(cell)]];
      case "field": {
        return [[name, shownField(cell, input[use.field])]];
      }
      default:
        return assertNever(use, "use of a column");
    }
  });
  return Object.fromEntries(shown);
}

function rawOf(
  { cells, headerLine }: TableRow,
  columns: readonly PlannedColumn[],
): { readonly raw: Record<string, unknown>; readonly ref: string | null } {
  const given: [string, unknown][] = [];
  let ref: string | null = null;
  for (const [index, { use }] of columns.entries()) {
    if (use.kind === "shown") continue;
    const cell = cells[index];
    const value = headerLine !== null && typeof cell === "string" ? cleanCell(cell) : cell;
    if (headerLine !== null && value === "") continue;
    if (use.kind === "field") given.push([use.field, value]);
    else ref = textOf(value);
  }
  return { raw: Object.fromEntries(given), ref: ref === "" ? null : ref };
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one === other || (one.length === other.length && one.every((name, index) => name === other[index]));
}
