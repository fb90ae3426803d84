import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { FieldProblem } from "../../src/operations/input-error.ts";
import { type CheckedRow, problemsOf } from "../rows/row-checks.ts";

/** What is wrong with a row, without any value of it. */
export interface RowProblem {
  /** From 1, in the order in which they came. */
  readonly row: number;
  /** Its own reference; null: none, or the reference is what is wrong. */
  readonly ref: string | null;
  readonly fields: readonly FieldProblem[];
}

/** Rows of a batch are bad; none was accepted. */
export class BadRowsError extends SatyapanError {
  /** The first 10,000. */
  readonly problems: readonly RowProblem[];
  /** All that are bad. */
  readonly count: number;

  /** `of`: how many rows there are; `name`: of their file. */
  constructor(problems: readonly RowProblem[], count: number, of: number, name: string | null = null) {
    const [first] = problems;
    const where =
      first === undefined ? "" : `; the first is row ${first.row}: ${problemsOf({ problems: first.fields })}`;
    super(
      ErrorCode.BAD_INPUT,
      `${name === null ? "" : `${name}: `}${count} of ${of} rows are bad, so nothing was accepted${where}`,
    );
    this.problems = problems;
    this.count = count;
  }
}

/** More are counted, and not kept: a million bad rows are told of in little memory. */
const KEPT = 10_000;

export class BadRows {
  readonly #problems: RowProblem[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add({ row, ref, problems }: CheckedRow): void {
    this.#count++;
    if (this.#problems.length < KEPT) this.#problems.push({ row, ref, fields: problems });
  }

  /** `of`: how many rows there are. */
  error(of: number): BadRowsError {
    return new BadRowsError(this.#problems, this.#count, of);
  }
}
