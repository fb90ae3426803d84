import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { FieldProblem, InputError } from "../../src/operations/input-error.ts";

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
  /** The first 10,000. */
  readonly problems: readonly InputProblem[];
  /** All that are wrong. */
  readonly count: number;

  constructor(problems: readonly InputProblem[], count: number, of: number) {
    const [first] = problems;
    const where = first === undefined ? "" : `; the first is number ${first.index + 1}: ${first.message}`;
    super(ErrorCode.BAD_INPUT, `${count} of ${of} inputs are wrong, so none was submitted${where}`);
    this.problems = problems;
    this.count = count;
  }
}

/** More are counted, and not kept: a file of a million wrong rows is told in little memory. */
const KEPT = 10_000;

/** What is wrong with inputs of one submission. */
export class InputProblems {
  readonly #problems: InputProblem[] = [];
  #count = 0;

  get none(): boolean {
    return this.#count === 0;
  }

  add(index: number, { message, fields }: InputError): void {
    this.#count++;
    if (this.#problems.length < KEPT) this.#problems.push({ index, message, fields });
  }

  /** Throws InputsError if there is any; `of`: how many inputs there are. */
  throwIfAny(of: number): void {
    if (!this.none) throw new InputsError(this.#problems, this.#count, of);
  }
}
