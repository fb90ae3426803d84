import { isEndedByUs, type NoReplyCause, noReplyWord } from "../outcomes/no-reply.ts";
import { NO_REPLY, type Outcome } from "../outcomes/outcome.ts";
import type { HttpReply } from "./http.ts";

/** An outcome before what the reply said is added to it. */
export type BareOutcome = Outcome extends infer O ? (O extends unknown ? Omit<O, "reply"> : never) : never;

/** No reply: nothing written is known not to have happened, everything else may have (design §3). */
export function withoutReply({ written, cause }: Extract<HttpReply, { kind: "none" }>): Outcome {
  // The class of an error says nothing to who reads a record.
  const word = cause.kind === "error" ? "" : ` (${noReplyWord(cause)})`;
  const noReply = cause.kind === "malformed" ? "no reply that can be read" : "no reply after the request was written";
  return written
    ? { kind: "unknown", reason: `${noReply}${word}`, noReply: cause, reply: NO_REPLY }
    : { kind: "unavailable", reason: notWritten(cause, word), noReply: cause, reply: NO_REPLY };
}

function notWritten(cause: NoReplyCause, word: string): string {
  if (!isEndedByUs(cause)) return `the provider could not be reached${word}`;
  return cause.kind === "too late"
    ? "not sent: its permit ran out and no other was to be had in time: the quota is used up, or this worker is too busy"
    : "not sent: the worker stops";
}

/** Statuses that say the URL, the method or the type is wrong: our fault, never the person's. */
export function isWrongCall(status: number): boolean {
  return (status >= 300 && status < 400) || [404, 405, 406, 407, 410, 415].includes(status);
}

export function isSuccessStatus(status: number): boolean {
  return status >= 200 && status < 300;
}

/** An object without any fields it could be read by, HTML, nothing, or a part of something. */
export const UNREADABLE = "the reply cannot be read";
export const CONTRADICTORY = "the reply says both that it was done and that it was not";
export const DECLINED = "declined by the provider";
export const WRONG_CALL = "the provider does not know this call: its path, method or type is wrong";
export const BAD_CREDENTIAL = "the provider refused the credential";
export const SERVER_ERROR = "the provider failed without saying whether it was done";
export const TIMED_OUT_THERE = "the provider timed out waiting for the request";
