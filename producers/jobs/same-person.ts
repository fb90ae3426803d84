import type { Settings } from "../../src/config/settings.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { subjectOf } from "../../src/operations/subject.ts";
import type { CheckedInput } from "./input-check.ts";

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

/** The sends of one operation to one person, where there are several: their positions, in order. */
export function samePersons({ subjectKey }: Settings, inputs: readonly CheckedInput[]): number[][] {
  const persons = new Map<string, number[]>();
  for (const [index, { operation, input, known }] of inputs.entries()) {
    const subject = known === null && operation.step === "send" ? subjectOf(subjectKey, operation, input) : null;
    if (subject === null) continue;
    const person = `${operation.name} ${subject}`;
    const rows = persons.get(person);
    if (rows === undefined) persons.set(person, [index]);
    else rows.push(index);
  }
  return [...persons.values()].filter((rows) => rows.length > 1);
}

function listed(words: readonly string[]): string {
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1) ?? ""}`;
}
