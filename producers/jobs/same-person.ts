import type { Settings } from "../../src/config/settings.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { subjectOf } from "../../src/operations/subject.ts";
import { FirstRows } from "./first-rows.ts";
import type { CheckedInput } from "../../src/entry/input-check.ts";

/** More would scroll the first ones away. */
const SHOWN = 5;

/** Several inputs of one submission would send an OTP to one person each; none was accepted. */
export class SamePersonError extends SatyapanError {
  /** Positions of the inputs, from 0: one list for each person. */
  readonly groups: readonly (readonly number[])[];

  constructor(groups: readonly (readonly number[])[]) {
    const texts = groups.slice(0, SHOWN).map((group) => `rows ${listed(group.map((index) => String(index + 1)))}`);
    const more = groups.length > SHOWN ? `, and ${groups.length - SHOWN} more such groups` : "";
    super(
      ErrorCode.SAME_PERSON,
      `${texts.join(", ")} are for one person${groups.length > 1 ? " each" : ""}${more}, so none was submitted: leave out all but one, or say whether one OTP serves them (if-pending reuse) or each gets its own after the cooldown (if-pending wait)`,
    );
    this.groups = groups;
  }
}

/** Finds the inputs of one submission that would send an OTP to one person. 16 to 32 bytes an input. */
export class SamePersons {
  readonly #settings: Settings;
  readonly #rows = new FirstRows();
  readonly #groups = new Map<number, number[]>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  add(row: number, { operation, input, known }: CheckedInput): void {
    if (known !== null || operation.step !== "send") return;
    const subject = subjectOf(this.#settings.subjectKey, operation, input);
    if (subject === null) return;
    const first = this.#rows.add(subject, row);
    if (first === row) return;
    const group = this.#groups.get(first);
    if (group === undefined) this.#groups.set(first, [first, row]);
    else group.push(row);
  }

  get none(): boolean {
    return this.#groups.size === 0;
  }

  /** Positions of the inputs, in order: one list for each person who has several. */
  groups(): number[][] {
    return [...this.#groups.values()];
  }
}

function listed(words: readonly string[]): string {
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1) ?? ""}`;
}
