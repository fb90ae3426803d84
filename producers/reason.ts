import { ErrorCode, SatyapanError } from "../src/error.ts";
import { isVerhoeffValid } from "../src/privacy/verhoeff.ts";

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
  if (holdsNumber(reason)) throw bad("holds what looks like a mobile or Aadhaar number, and it is kept in clear");
  return reason;
}

/** With or without blanks and hyphens between the digits. */
function holdsNumber(text: string): boolean {
  const runs = text.match(/\d(?:[ -]?\d){9,}/g) ?? [];
  return runs
    .map((run) => run.replaceAll(/\D/g, ""))
    .some(
      (digits) => /^(?:0|91)?[6-9]\d{9}$/.test(digits) || (/^[2-9]\d{11}$/.test(digits) && isVerhoeffValid(digits)),
    );
}

function bad(message: string): SatyapanError {
  return new SatyapanError(ErrorCode.BAD_INPUT, `reason: ${message}`);
}
