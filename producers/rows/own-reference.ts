import { findPersonal } from "../../src/secrets/find-personal.ts";
import type { FieldProblem } from "../../src/operations/input-error.ts";

const LONGEST = 64;
/** Fields of a row whose value no reference may repeat, in any grouping of its digits. */
const NUMBERS = ["aadhaar", "mobile", "customer_id", "mobile_number"];

/** What is wrong with a row's own reference, which is kept and shown in clear; null: nothing. */
export function referenceProblem(ref: string, input: Readonly<Record<string, unknown>>): FieldProblem | null {
  const says = (message: string): FieldProblem => ({ field: "ref", message });
  if (ref.length > LONGEST) return says(`must have at most ${LONGEST} characters`);
  if (/\p{Cc}/u.test(ref)) return says("must be one line of text");
  const personal = findPersonal(ref);
  if (personal !== null) {
    return says(`looks like ${personal}, and it is kept in clear: use another column`);
  }
  const digits = ref.replaceAll(/\P{Nd}/gu, "");
  const repeated = NUMBERS.find((field) => {
    const value = input[field];
    return typeof value === "string" && value.length >= 10 && digits.includes(value);
  });
  return repeated === undefined
    ? null
    : says(`repeats the row's ${repeated}, and it is kept in clear: use another column`);
}
