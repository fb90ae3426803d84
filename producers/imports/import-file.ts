import { assertNever } from "../../src/base/assert-never.ts";
import type { Settings } from "../../src/config/settings.ts";
import { parseInput, type EntryRules } from "../../src/operations/entry-rules.ts";
import { InputError, type FieldProblem } from "../../src/operations/input-error.ts";
import { nestDotted } from "../../src/operations/row-input.ts";
import { cleanCell } from "../../src/operations/spreadsheet-trace.ts";
import { subjectOf } from "../../src/operations/subject.ts";
import type { OpenInput } from "../../src/providers/call.ts";
import { Secret } from "../../src/secrets/secret.ts";
import type { TableRow } from "../files/read-table.ts";
import { FirstRows } from "../jobs/first-rows.ts";
import { type ColumnWishes, planColumns, type PlannedColumn } from "./column-plan.ts";
import type { ImportTarget } from "./import-target.ts";
import { referenceProblem } from "./own-reference.ts";
import { shownCell } from "./shown-cell.ts";

/** One row of the file, checked. */
export interface ImportedRow {
  /** From 1: the header is none. */
  readonly row: number;
  readonly ref: string | null;
  /** `duplicate`: the person stands in an earlier row; `skipped`: the row is bad. */
  readonly state: "waiting" | "duplicate" | "skipped";
  /** Its personal values as `Secret`; empty where the row is bad. */
  readonly input: OpenInput;
  /** Keyed hash of the person, or null. */
  readonly subject: string | null;
  /** The earlier row of the same person; null: none. */
  readonly first: number | null;
  readonly problems: readonly FieldProblem[];
  readonly columns: readonly PlannedColumn[];
  readonly source: TableRow;
}

export interface ImportFileOptions {
  /** Null: standard input. */
  readonly path: string | null;
  /** The same rows each time. Throws SatyapanError `bad-file` for what is no table. */
  readonly table: () => AsyncIterable<TableRow>;
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
  readonly #rules: EntryRules;

  constructor(options: ImportFileOptions) {
    const { path, target, settings, now } = options;
    this.name = path ?? "standard input";
    this.target = target;
    this.#options = options;
    this.#rules = { now, aadhaarChecksum: settings.aadhaarChecksum, consentRequired: settings.consentRequired };
  }

  /** Throws SatyapanError `bad-file` for what is no table, or lacks a column. */
  async *rows(): AsyncGenerator<ImportedRow> {
    const persons = new FirstRows();
    let row = 0;
    let plan: { readonly of: readonly string[]; readonly columns: PlannedColumn[] } | null = null;
    for await (const source of this.#options.table()) {
      if (plan === null || !isSame(plan.of, source.columns)) plan = { of: source.columns, columns: this.plan(source) };
      yield this.#check(++row, source, plan.columns, persons);
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

  #check(row: number, source: TableRow, columns: readonly PlannedColumn[], persons: FirstRows): ImportedRow {
    const { target, settings } = this.#options;
    const { raw, ref } = rawOf(source, columns);
    const checked = this.#parse(raw);
    const wrongRef = ref === null ? null : referenceProblem(ref, raw);
    const problems = [
      ...(checked instanceof InputError ? checked.fields : []),
      ...(wrongRef === null ? [] : [wrongRef]),
    ];
    // A reference that may not be shown is not kept either.
    const about = { row, ref: wrongRef === null ? ref : null, columns, source, problems };
    if (problems.length > 0 || checked instanceof InputError) {
      return { ...about, state: "skipped", input: {}, subject: null, first: null };
    }
    const subject = subjectOf(settings.subjectKey, target.owner, checked);
    const first = subject === null ? row : persons.add(subject, row);
    const isFirst = first === row;
    return {
      ...about,
      state: isFirst ? "waiting" : "duplicate",
      input: checked,
      subject,
      first: isFirst ? null : first,
    };
  }

  #parse(raw: Readonly<Record<string, unknown>>): OpenInput | InputError {
    try {
      return parseInput(this.target.owner, nestDotted(raw), this.#rules);
    } catch (error) {
      if (error instanceof InputError) return error;
      throw error;
    }
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
        const value = input[use.field];
        if (cell === "") return [[name, ""]];
        if (value instanceof Secret) return [[name, value.toString()]];
        // Of a bad row's fields nobody knows whether they are a person's.
        return [[name, value === undefined ? HIDDEN : shownCell(cell)]];
      }
      default:
        return assertNever(use, "use of a column");
    }
  });
  return Object.fromEntries(shown);
}

const HIDDEN = new Secret("").toString();

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

function textOf(cell: unknown): string {
  if (typeof cell === "string") return cleanCell(cell);
  return cell === undefined || cell === null ? "" : JSON.stringify(cell);
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one === other || (one.length === other.length && one.every((name, index) => name === other[index]));
}
