import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { PlannedColumn } from "./column-plan.ts";
import type { ImportedRow, ImportFile } from "./import-file.ts";
import { type ProblemGroup, ProblemGroups } from "./problem-groups.ts";

/** What is known of a file once all of it was gone through. */
export interface FileCheck {
  readonly name: string;
  readonly rows: number;
  /** Rows that would run. */
  readonly good: number;
  readonly bad: number;
  readonly duplicates: number;
  /** The first rows of which the person stands in an earlier one. */
  readonly twice: readonly { readonly row: number; readonly first: number }[];
  /** Rows whose person a row of another batch has, or an onboarding; null: nobody was asked. */
  readonly held: number | null;
  /** The first of them, with who has it. */
  readonly heldBy: readonly { readonly row: number; readonly reason: string }[];
  readonly columns: readonly PlannedColumn[];
  readonly problems: readonly ProblemGroup[];
}

const NAMED = 5;

export interface CheckOptions {
  /** Aborted, SatyapanError `interrupted`. */
  readonly signal: AbortSignal;
  /** Told of the rows so far, now and then. */
  readonly onRows?: ((rows: number) => void) | undefined;
  /** Told of each row that is bad. */
  readonly onBad?: ((row: ImportedRow) => void) | undefined;
  /** Says of persons why their rows would not be called; null: of none can be said anything. */
  readonly holders?: ((subjects: readonly string[]) => Promise<readonly (string | null)[] | null>) | undefined;
}

/** Rows between two looks at the signal, and persons that are asked about at once. */
const STEP = 1_000;

/** Goes through the whole file, and keeps nothing of it but counts and places. */
export async function checkFile(
  file: ImportFile,
  { signal, onRows, onBad, holders }: CheckOptions,
): Promise<FileCheck> {
  const groups = new ProblemGroups();
  const others = new Others(holders);
  const twice: { row: number; first: number }[] = [];
  let [rows, bad, duplicates] = [0, 0, 0];
  let columns: readonly PlannedColumn[] = [];
  for await (const row of file.rows()) {
    rows = row.row;
    if (rows === 1) ({ columns } = row);
    if (rows % STEP === 0) {
      if (signal.aborted) throw new SatyapanError(ErrorCode.INTERRUPTED, "stopped; nothing was accepted");
      onRows?.(rows);
    }
    if (row.state === "skipped") {
      bad++;
      groups.add(row);
      onBad?.(row);
    }
    if (row.first !== null) {
      duplicates++;
      if (twice.length < NAMED) twice.push({ row: row.row, first: row.first });
    }
    if (row.state === "waiting") await others.add(row);
  }
  await others.ask();
  const { held, heldBy } = others;
  return {
    ...{ name: file.name, rows, good: rows - bad - duplicates - (held ?? 0), bad, duplicates, twice, held, heldBy },
    ...{ columns, problems: groups.list() },
  };
}

/** Rows whose persons others have, counted some at a time. */
class Others {
  held: number | null;
  readonly heldBy: { row: number; reason: string }[] = [];
  readonly #holders: CheckOptions["holders"];
  #rows: number[] = [];
  #subjects: string[] = [];

  constructor(holders: CheckOptions["holders"]) {
    this.#holders = holders;
    this.held = holders === undefined ? null : 0;
  }

  async add({ row, subject }: ImportedRow): Promise<void> {
    if (subject === null || this.held === null) return;
    this.#rows.push(row);
    this.#subjects.push(subject);
    if (this.#rows.length >= STEP) await this.ask();
  }

  async ask(): Promise<void> {
    if (this.#rows.length === 0 || this.held === null) return;
    const reasons = (await this.#holders?.(this.#subjects)) ?? null;
    const held = reasons?.flatMap((reason, index) =>
      reason === null ? [] : [{ row: this.#rows[index] ?? 0, reason }],
    );
    this.held = held === undefined ? null : this.held + held.length;
    this.heldBy.push(...(held ?? []).slice(0, NAMED - this.heldBy.length));
    this.#rows = [];
    this.#subjects = [];
  }
}
