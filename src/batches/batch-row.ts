import type { OpenInput } from "../providers/call.ts";

/** One row of a file, read and checked: what a batch takes in. */
export interface BatchRow {
  /** Of the file, from 1: the header is none. */
  readonly row: number;
  /** The caller's own reference of the row, kept in clear; null: none. */
  readonly ref: string | null;
  /** Keyed hash of the person (`subjectKey`); null: nobody is named. */
  readonly subject: string | null;
  /** The checked input as one flat object, personal values as `Secret`. Empty where the row is not to run. */
  readonly input: OpenInput;
  /** The file's own columns, masked already, for the results. */
  readonly columns: Readonly<Record<string, string>>;
  /** `duplicate`: the person stands in an earlier row of the file; `skipped`: the row is bad, and bad rows are left out. */
  readonly state: "waiting" | "duplicate" | "skipped";
  /** Why a bad row is not to run, without any value of it. */
  readonly reason?: string;
  /** The earlier row that has the person of a `duplicate`. */
  readonly first?: number;
}
