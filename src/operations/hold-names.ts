import type { Operation } from "./operation.ts";
import type { OpenInput } from "../providers/call.ts";
import type { RefusedScope } from "../outcomes/outcome.ts";

/** Stands for the one of the worker's settings, where an input names none. */
const DEFAULT = "default";

/** What may be held for itself of a job: its agent, its initiator, its operation. Names without blanks. */
export function holdNamesOf(operation: Operation, input: OpenInput): string[] {
  const named = ["user_code", "initiator_id"] as const;
  const own = operation.provider === "eko" ? named.map((field) => `${field}:${nameOf(input[field])}`) : [];
  return [...own, `operation:${operation.name}`];
}

/** The name of what a refusal is about; null: the whole credential. */
export function holdNameOf(scope: RefusedScope, operation: Operation, input: OpenInput): string | null {
  switch (scope) {
    case "credential":
      return null;
    case "operation":
      return `operation:${operation.name}`;
    case "user_code":
    case "initiator_id":
      return `${scope}:${nameOf(input[scope])}`;
  }
}

function nameOf(value: unknown): string {
  return typeof value === "string" && !/\s/.test(value) ? value : DEFAULT;
}
