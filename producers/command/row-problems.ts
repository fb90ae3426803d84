import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { InputsError } from "../jobs/input-problems.ts";
import type { SamePersonError } from "../jobs/same-person.ts";

/** More would scroll the first ones away; the count says how many there are. */
const SHOWN_PROBLEMS = 20;

/** Unknown columns once, then bad rows by line and field; no row was accepted. */
export function describeRows(file: string, lines: readonly number[], error: InputsError): SatyapanError {
  const columns = new Map<string, string>();
  const problems = error.problems.flatMap(({ index, fields }) => {
    for (const { field, message, unknown, hidden } of fields) {
      // A name that is not shown is told by its place among the cells that have a value: once is enough for all.
      if (unknown !== true) continue;
      if (hidden === true) columns.set(message, `${field}: ${message}`);
      else columns.set(`${field}: ${message}`, `${field}: ${message}`);
    }
    const own = fields.filter(({ unknown }) => unknown !== true);
    const texts = own.map(({ field, message }) => (field === "" ? message : `${field}: ${message}`));
    return texts.length === 0 ? [] : [`  line ${lines[index] ?? "?"}: ${texts.join("; ")}`];
  });
  const header = [...columns.values()].map((text) => `  header: ${text}`);
  // Beyond what was kept, a row with nothing but an unknown column is counted, too.
  const count = problems.length + error.count - error.problems.length;
  const more = count > SHOWN_PROBLEMS ? [`  … and ${count - SHOWN_PROBLEMS} more`] : [];
  const wrong = [
    ...(header.length === 0
      ? []
      : [header.length === 1 ? "one column is unknown" : `${header.length} columns are unknown`]),
    ...(problems.length === 0 ? [] : [`${count} of ${lines.length} rows are wrong`]),
  ];
  const head = `${file}: ${wrong.join(" and ")}, so none was submitted`;
  const text = [head, ...header, ...problems.slice(0, SHOWN_PROBLEMS), ...more];
  return new SatyapanError(ErrorCode.BAD_INPUT, text.join("\n"));
}

/** Those who need the same OTP, by line. */
export function describePersons(file: string, lines: readonly number[], { groups }: SamePersonError): SatyapanError {
  const persons = groups.map((group) => {
    const [last = "", ...before] = group.map((index) => String(lines[index] ?? "?")).toReversed();
    return `  lines ${before.toReversed().join(", ")} and ${last} are for one person`;
  });
  const more = persons.length > SHOWN_PROBLEMS ? [`  … and ${persons.length - SHOWN_PROBLEMS} more`] : [];
  const head = `${file}: some rows are for one person, who would get several OTPs, so none was submitted`;
  const cure =
    "leave out all but one, or add --if-pending reuse (one OTP serves them) or --if-pending wait (each gets its own, after the cooldown)";
  const text = [head, ...persons.slice(0, SHOWN_PROBLEMS), ...more, cure].join("\n");
  return new SatyapanError(ErrorCode.SAME_PERSON, text);
}
