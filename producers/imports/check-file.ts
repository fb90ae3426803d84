import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { PlannedColumn } from "./column-plan.ts";
import type { ImportFile } from "./import-file.ts";
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
  readonly columns: readonly PlannedColumn[];
  readonly problems: readonly ProblemGroup[];
}

const NAMED = 5;

export interface CheckOptions {
  /** Aborted, SatyapanError `interrupted`. */
  readonly signal: AbortSignal;
  /** Told of the rows so far, now and then. */
  readonly onRows?: ((rows: number) => void) | undefined;
}

/** Rows between two looks at the signal. */
const STEP = 1_000;

/** Goes through the whole file, and keeps nothing of it but counts and places. */
export async function checkFile(file: ImportFile, { signal, onRows }: CheckOptions): Promise<FileCheck> {
  const groups = new ProblemGroups();
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
    }
    if (row.first !== null) {
      duplicates++;
      if (twice.length < NAMED) twice.push({ row: row.row, first: row.first });
    }
  }
  return {
    ...{ name: file.name, rows, good: rows - bad - duplicates, bad, duplicates, twice, columns },
    problems: groups.list(),
  };
}
