import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { FieldProblem } from "../../src/operations/input-error.ts";

export interface InputProblem {
  /** Position of the input in the list that was given, from 0. */
  readonly index: number;
  /** `field: what is wrong`, without the value. */
  readonly message: string;
  /** The same, one by one. */
  readonly fields: readonly FieldProblem[];
}

/** Some of many inputs are wrong; none was accepted. */
export class InputsError extends SatyapanError {
  readonly problems: readonly InputProblem[];

  constructor(problems: readonly InputProblem[], of: number) {
    const [first] = problems;
    const where = first === undefined ? "" : `; the first is number ${first.index + 1}: ${first.message}`;
    super(ErrorCode.BAD_INPUT, `${problems.length} of ${of} inputs are wrong, so none was submitted${where}`);
    this.problems = problems;
  }
}
