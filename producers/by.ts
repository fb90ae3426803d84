import { ErrorCode, SatyapanError } from "../src/base/error.ts";
import { AuditEntry } from "../src/privacy/audit/entry.ts";

/** Who does something, and when, for the audit log. */
export interface By {
  readonly actor: string;
  readonly now: () => number;
}

/** `command:USER`, or `command:user` where the name is none that the audit log takes. */
export function commandActor(user: string): string {
  return `command:${fits(user) ? user : "user"}`;
}

/** A name of the caller's for itself. Throws SatyapanError `bad-input` for one that the audit log does not take. */
export function checkActor(actor: string): string {
  if (fits(actor)) return actor;
  const message = "actor: must be 1 to 64 characters of one line, without anything like a person's number";
  throw new SatyapanError(ErrorCode.BAD_INPUT, message);
}

function fits(actor: string): boolean {
  const at = new Date(0).toISOString();
  const entry = { at, kind: "hold", actor: `library:${actor}`, provider: "eko", event: "resume", scope: null };
  return AuditEntry.safeParse(entry).success;
}
