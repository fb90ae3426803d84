import type { Operation } from "./operation.ts";
import type { OpenInput } from "../providers/call.ts";
import { Secret } from "../secrets/secret.ts";
import { subjectKey } from "../secrets/subject-key.ts";

/** All keyed hashes by which a person of this input may be asked for: of each Aadhaar and mobile number, each once. */
export function subjectsOf(key: Secret, input: OpenInput): string[] {
  const all = Object.values(input).flatMap((value) =>
    value instanceof Secret && value.maskName !== "hidden" ? [subjectKey(key, value.maskName, value.open())] : [],
  );
  return [...new Set(all)];
}

/** The keyed hash of the person to whom a send goes, which is all that Redis knows of them. Null where nobody is sent anything. */
export function subjectOf(key: Secret, operation: Pick<Operation, "subject">, input: OpenInput): string | null {
  for (const field of operation.subject ?? []) {
    const value = input[field];
    if (value instanceof Secret && value.maskName !== "hidden") return subjectKey(key, value.maskName, value.open());
  }
  return null;
}
