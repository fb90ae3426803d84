import { Secret } from "../secrets/secret.ts";
import { referencesOf } from "./accepted-input.ts";
import { InputError, type FieldProblem } from "./input-error.ts";
import type { Operation, TakenFrom } from "./operation.ts";
import type { OpenInput } from "../providers/call.ts";

/** What is known of the job that `of` names, which has to have succeeded. */
export interface SentJob {
  /** Its parsed input. */
  readonly input: OpenInput;
  /** Its result, and its personal part too: a reference that repeats a number of the person is sealed there. */
  readonly result: Readonly<Record<string, unknown>>;
  /** That of its successful attempt. */
  readonly clientRefId: string;
}

/**
 * The complete input of a verify, in clear, for `parseInput`: what the caller gave, without `of`, and from the send's job
 * what was left out. It holds secrets: it is never kept.
 * @throws InputError where the send's job does not have a field that is needed
 */
export function resolveOf(
  operation: Operation,
  raw: Readonly<Record<string, unknown>>,
  sent: SentJob,
): Record<string, unknown> {
  const { of, ...given } = raw;
  const link = operation.of;
  if (link === undefined || of === undefined) return { ...given };
  const alternatives = operation.exactlyOne ?? [];
  const hasAlternative = alternatives.some((field) => given[field] !== undefined);
  const complete: Record<string, unknown> = { ...given };
  for (const [field, from] of Object.entries(link.takes)) {
    if (given[field] !== undefined || (hasAlternative && alternatives.includes(field))) continue;
    const value = takenFrom(sent, from);
    if (value !== undefined && value !== null && value !== "") complete[field] = value;
  }
  const problems: FieldProblem[] = referencesOf(operation, link)
    .filter((field) => complete[field] === undefined)
    .map((field) => ({ field, message: `is missing, and the \`${link.send}\` job named in \`of\` has none: give it` }));
  if (problems.length > 0) throw new InputError(problems);
  return complete;
}

function takenFrom(sent: SentJob, from: TakenFrom): unknown {
  if (from === "client_ref_id") return sent.clientRefId;
  const value = "input" in from ? sent.input[from.input] : sent.result[from.result];
  return value instanceof Secret ? value.open() : value;
}
