import { ErrorCode, SatyapanError } from "../src/error.ts";
import { AuditEntry } from "../src/privacy/audit/entry.ts";

/** Who does something, and when, for the audit log. */
export interface By {
  readonly actor: string;
  readonly now: () => number;
}

/** A name of the caller's for itself. Throws SatyapanError `bad-input` for one that the audit log does not take. */
export function checkActor(actor: string): string {
  const entry = {
    ...{ at: new Date(0).toISOString(), kind: "hold", actor: `library:${actor}`, provider: "eko", event: "resume" },
    scope: null,
  };
  if (AuditEntry.safeParse(entry).success) return actor;
  const message = "actor: must be 1 to 64 characters of one line, without anything like a person's number";
  throw new SatyapanError(ErrorCode.BAD_INPUT, message);
}
