import type { Operation } from "./operation.ts";
import type { OpenInput } from "../providers/call.ts";
import { Secret } from "../secrets/secret.ts";
import { subjectKey } from "../secrets/subject-key.ts";

/** The keyed hash of the person to whom a send goes, which is all that Redis knows of them. Null where nobody is sent anything. */
export function subjectOf(key: Secret, operation: Pick<Operation, "subject">, input: OpenInput): string | null {
  for (const field of operation.subject ?? []) {
    const value = input[field];
    if (value instanceof Secret && value.maskName !== "hidden") return subjectKey(key, value.maskName, value.open());
  }
  return null;
}
