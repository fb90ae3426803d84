import { assertNever } from "../base/assert-never.ts";
import { ErrorCode, SatyapanError } from "../base/error.ts";

/** Why a challenge takes no code, or no other OTP is sent in its place. `about`: a job's id, a state, or a time in ms. */
export interface Refusal {
  readonly kind:
    | "missing"
    | "lost"
    | "long"
    | "no-send"
    | "busy"
    | "answered"
    | "late"
    | "tries"
    | "sends"
    | "cooldown"
    | "state"
    | "over";
  readonly about?: string;
}

/** SatyapanError `expired` for what came too late, `unknown-job`, or `bad-input`. */
export function challengeOver(send: string, { kind, about = "" }: Refusal): SatyapanError {
  const bad = (text: string): SatyapanError => new SatyapanError(ErrorCode.BAD_INPUT, text);
  switch (kind) {
    case "missing":
      return new SatyapanError(
        ErrorCode.UNKNOWN_JOB,
        "there is no such send or onboarding, or it is past its retention",
      );
    case "lost":
      return bad(`another OTP was to be sent, and whoever asked for it was lost before it was: ask again (--resend)`);
    case "long":
      return bad(`the id of ${send} leaves no room for its verify's: submit the verify with \`of\` instead`);
    case "no-send":
      return bad(`${send} sends no OTP that could be answered or sent again`);
    case "busy":
      return bad(`another code of ${send} is being verified (${about}): wait for what comes of that`);
    case "answered":
      return bad(`the OTP of ${send} was answered already`);
    case "late":
      return new SatyapanError(ErrorCode.EXPIRED, `the OTP of ${send} can no longer be answered: its time is over`);
    case "tries":
      return bad(`the OTP of ${send} is used up by wrong codes: send another (--resend)`);
    case "sends":
      return bad(`no further OTP is sent for ${send}: it had as many as one challenge gets`);
    case "cooldown":
      return bad(`no other OTP is sent for ${send} before ${new Date(Number(about)).toISOString()}: wait for that one`);
    case "state":
      return bad(`${send} has sent no OTP: it is ${about}`);
    case "over":
      return bad(`${send} awaits no code: it is ${about}`);
    default:
      return assertNever(kind, "refusal");
  }
}
