import { Secret } from "../../secrets/secret.ts";

/** An input with its secrets opened: only for a person who gave a reason that was written down first (`reveal`). */
export function clearValues(input: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(input).map(([field, value]) => [field, value instanceof Secret ? value.open() : value]),
  );
}
