import { expect } from "vitest";

// Vitest types its asymmetric matchers as `any`; these are the same, typed.

export const ANY_TEXT: unknown = expect.any(String);

/** Text that matches, or for a string contains, `pattern`. */
export function like(pattern: RegExp | string): unknown {
  return typeof pattern === "string" ? expect.stringContaining(pattern) : expect.stringMatching(pattern);
}
