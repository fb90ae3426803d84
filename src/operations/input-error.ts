import { ErrorCode, SatyapanError } from "../base/error.ts";

/** One thing that is wrong with an input. */
export interface FieldProblem {
  /** Dotted, for example `consent.method`; empty where the input as a whole is wrong. */
  readonly field: string;
  /** What is expected; never what was given. */
  readonly message: string;
  /** There is no such field: in a table, a fault of the header and not of the row. */
  readonly unknown?: true;
  /** Its name is not shown, for it may be a value: `field` tells its place, and `message` says so. */
  readonly hidden?: true;
}

/** An input that cannot be accepted: its message lists every problem in one line, `field: problem; field: problem`. */
export class InputError extends SatyapanError {
  readonly fields: readonly FieldProblem[];
  constructor(fields: readonly FieldProblem[]) {
    const problems = fields.map(({ field, message }) => (field === "" ? message : `${field}: ${message}`));
    super(ErrorCode.BAD_INPUT, problems.join("; "));
    this.fields = fields;
  }
}
