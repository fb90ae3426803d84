import { Secret } from "../../secrets/secret.ts";

/**
 * An input with its secrets opened: for a person who gave a reason that was written down first (`reveal`), or to be checked and
 * sealed again at once as another job's (a flow's next step, another OTP). Never kept.
 */
export function clearValues(input: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(input).map(([field, value]) => [field, value instanceof Secret ? value.open() : value]),
  );
}
