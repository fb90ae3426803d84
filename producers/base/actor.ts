import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { findPersonal } from "../../src/secrets/find-personal.ts";
import { LONG_NUMBER } from "../../src/secrets/number-forms.ts";
import { AuditEntry } from "../../src/privacy/audit/entry.ts";

/** The one who does something, and the clock by which: for the audit log. */
export interface Actor {
  /** `command:USER`, `library:NAME`. */
  readonly name: string;
  /** Redis' time, in ms. */
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

/** The longest reason, in characters. */
const LONGEST = 500;

/**
 * Why somebody decided so, trimmed. It is kept and shown in clear.
 * @throws SatyapanError `bad-input` where it is missing, too long, or holds what looks like a number of a person
 */
export function checkReason(text: string): string {
  const reason = text.trim();
  if (reason === "") throw bad("say why: it is kept with the record");
  if (reason.length > LONGEST) throw bad(`must be at most ${LONGEST} characters`);
  // oxlint-disable-next-line no-control-regex -- a terminal would obey them.
  if (/[\u0000-\u001F\u007F-\u009F]/.test(reason)) throw bad("must be one line of text");
  const personal = LONG_NUMBER.test(reason) ? "a mobile or Aadhaar number" : findPersonal(reason);
  if (personal !== null) throw bad(`holds what looks like ${personal}, and it is kept in clear`);
  return reason;
}

function bad(message: string): SatyapanError {
  return new SatyapanError(ErrorCode.BAD_INPUT, `reason: ${message}`);
}
