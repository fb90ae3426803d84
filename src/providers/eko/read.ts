import type { OpenInput } from "../call.ts";
import type { Outcome, Result } from "../../outcomes/outcome.ts";
import {
  BAD_CREDENTIAL,
  CONTRADICTORY,
  DECLINED,
  type BareOutcome,
  isSuccessStatus,
  isWrongCall,
  SERVER_ERROR,
  TIMED_OUT_THERE,
  UNREADABLE,
  withoutReply,
  WRONG_CALL,
} from "../common-outcomes.ts";
import { Secret } from "../../secrets/secret.ts";
import type { HttpReply } from "../http.ts";
import type { JsonObject } from "../json.ts";
import { retryAfterMs } from "../retry-after.ts";
import { divideReply, referenceOf } from "../divide-reply.ts";
import { EchoGuard } from "../echo-guard.ts";
import {
  EKO_DENYING_STATUS_IDS,
  EKO_IN_PROGRESS,
  EKO_MEANINGS,
  EKO_NEGATIVE_TYPES,
  EKO_REFUSALS,
  EKO_TELLING_STATUS_IDS,
  EKO_UNAVAILABLE,
  type Refusal,
} from "./codes.ts";
import { ekoEnvelope, ekoFacts, isWholeEnvelope, tellingCodes, type EkoEnvelope } from "./envelope.ts";
import { EKO_BARE_REFUSALS, EKO_DETAILS, EKO_MALFORMED_REQUEST } from "./texts.ts";

/** How one operation's replies read, beyond what is common to all. Codes are `response_type_id`s or `status`es. */
export interface EkoRules {
  /** Its success codes, and what each adds to the result. */
  readonly succeeds: Readonly<Record<number, Result>>;
  /** What `status: 0` adds where its type says nothing else. */
  readonly plain: Result;
  /** Codes that are a no here, in words of this operation. */
  readonly rejects?: Readonly<Record<number, string>>;
  /** References in `data` that the result keeps; all else in `data` is personal. */
  readonly keeps: readonly string[];
  /** What the result takes from `data` in another form. */
  readonly derive?: (data: JsonObject) => Result;
  /**
   * Only for a send: references without which an OTP that went out cannot be verified. A send succeeds by its code whatever
   * `status` says, and by any `otp_ref_id` that is new: a real OTP went out under an envelope that looked like a failure,
   * and what reads it as one sends a second (facts/eko §3.1, "the classification trap").
   */
  readonly needs?: readonly string[];
}

/** Fields of `data` that neither identify anything nor are about a person. */
const ECHOES: ReadonlySet<string> = new Set(["initiator_id", "intent_id", "verified", "otp_expiry_timestamp"]);

/** Reads any reply of Eko; never throws. `input` is what the call was made with. */
export function readEko(reply: HttpReply, rules: EkoRules, input: OpenInput): Outcome {
  if (reply.kind === "none") return withoutReply(reply);
  const echoGuard = new EchoGuard(input);
  const envelope = ekoEnvelope(reply.status, reply.text);
  const facts = ekoFacts(reply.status, envelope, echoGuard);
  const outcome =
    (envelope === null ? null : refusalOf(envelope)) ??
    (envelope === null ? null : successOf(envelope, reply.status, { rules, input, echoGuard })) ??
    limitsOf(reply) ??
    (envelope === null ? null : failureOf(envelope, reply.status, rules)) ??
    byHttpStatus(reply.status, reply.text);
  return { ...outcome, reply: facts };
}

/** Ours to mend: the initiator, the agent, the account. First, because it holds whatever else the reply says. */
function refusalOf(envelope: EkoEnvelope): BareOutcome | null {
  const codes = [envelope.status, envelope.typeId, envelope.statusId];
  const known = codes.map((code) => (code === null ? undefined : EKO_REFUSALS.get(code))).find((found) => found);
  if (known !== undefined) return refused(known);
  if (envelope.status === 97 && Object.hasOwn(envelope.invalidParams, "initiator_id")) {
    return refused({ scope: "initiator_id", reason: "the initiator_id is not accepted" });
  }
  if (envelope.status === 97 && Object.hasOwn(envelope.invalidParams, "user_code")) {
    return refused({ scope: "user_code", reason: "the user_code is not accepted" });
  }
  if (!hasNoCode(envelope)) return null;
  const bare = EKO_BARE_REFUSALS.find(({ starts }) => envelope.message?.startsWith(starts));
  return bare === undefined ? null : refused(bare.refusal);
}

function hasNoCode(envelope: EkoEnvelope): boolean {
  return envelope.status === null && !isWholeEnvelope(envelope);
}

interface Call {
  readonly rules: EkoRules;
  readonly input: OpenInput;
  readonly echoGuard: EchoGuard;
}

function successOf(envelope: EkoEnvelope, httpStatus: number, { rules, input, echoGuard }: Call): BareOutcome | null {
  const { data } = envelope;
  const added = strongSuccess(envelope, rules, input) ?? weakSuccess(envelope, httpStatus, rules);
  if (added === null) return null;
  if (rules.needs === undefined && saysFalse(data["verified"])) {
    return { kind: "rejected", reason: "the provider did not verify it" };
  }
  const lacksReference = rules.needs?.some((field) => referenceOf(data[field]) === null) ?? false;
  if (lacksReference && added["otp_sent"] !== false) {
    return { kind: "unknown", reason: "an OTP was sent, but the reply lacks the reference to verify it with" };
  }
  const { result, personal } = divideReply(data, rules.keeps, echoGuard, ECHOES);
  const whole = { ...added, ...rules.derive?.(data), ...result };
  return { kind: "succeeded", result: whole, ...(Object.keys(personal).length === 0 ? {} : { personal }) };
}

/** A flag comes as a boolean, a number or a word. */
function saysFalse(flag: unknown): boolean {
  return flag === false || flag === 0 || (typeof flag === "string" && /^(?:false|0|no|n)$/i.test(flag.trim()));
}

/** A success by the operation's own codes, or a send's new reference. */
function strongSuccess(envelope: EkoEnvelope, rules: EkoRules, input: OpenInput): Result | null {
  const isSend = rules.needs !== undefined;
  if (!isSend && isDenied(envelope, rules)) return null;
  for (const code of [envelope.typeId, envelope.status]) {
    const added = code === null ? undefined : rules.succeeds[code];
    // For a verify the type alone is not enough: 1632 is there for right and wrong OTPs (facts/eko §4.3).
    if (added !== undefined && (isSend || envelope.status === 0 || envelope.status === code)) return added;
  }
  if (!isSend) return null;
  const reference = referenceOf(envelope.data["otp_ref_id"]);
  return reference !== null && !isEcho(reference, input) ? rules.plain : null;
}

/** A success by `status: 0`, which web servers and gateways say as well, and some failures (facts/eko §3.1). */
function weakSuccess(envelope: EkoEnvelope, httpStatus: number, rules: EkoRules): Result | null {
  if (envelope.status !== 0 || isNegative(envelope, rules) || isDenied(envelope, rules)) return null;
  const credible = isSuccessStatus(httpStatus) || (isWholeEnvelope(envelope) && ![401, 403, 429].includes(httpStatus));
  return credible ? rules.plain : null;
}

function isNegative({ typeId }: EkoEnvelope, rules: EkoRules): boolean {
  return typeId !== null && (EKO_NEGATIVE_TYPES.has(typeId) || rules.rejects?.[typeId] !== undefined);
}

/** Whether another code of the reply says no against its `status`: a wrong OTP under `status: 0` is a wrong OTP. */
function isDenied(envelope: EkoEnvelope, rules: EkoRules): boolean {
  const { statusId, typeId } = envelope;
  if (statusId === EKO_IN_PROGRESS || (statusId !== null && EKO_DENYING_STATUS_IDS.has(statusId))) return true;
  // A customer who is unknown is a success of the look-up.
  if (isOwnSuccess(envelope, rules)) return false;
  return (
    (typeId !== null && EKO_NEGATIVE_TYPES.has(typeId)) || (statusId !== null && EKO_TELLING_STATUS_IDS.has(statusId))
  );
}

function isOwnSuccess({ typeId }: EkoEnvelope, { succeeds }: EkoRules): boolean {
  return typeId !== null && succeeds[typeId] !== undefined;
}

/** The reference that the request itself carried proves nothing, also where it comes back as a number. */
function isEcho(reference: string, { otp_ref_id: own }: OpenInput): boolean {
  return own instanceof Secret && withoutZeros(own.open()) === withoutZeros(reference);
}

function withoutZeros(reference: string): string {
  return reference.trim().replace(/^0+(?=\d+$)/, "");
}

/** 401 and 403 come with any body or none, and a bad signature with either (facts/eko §1.6). */
function limitsOf({ status, headers }: Extract<HttpReply, { kind: "reply" }>): BareOutcome | null {
  if (status === 429) return { kind: "throttled", retryAfterMs: retryAfterMs(headers) };
  return status === 401 || status === 403 ? refused({ scope: "credential", reason: BAD_CREDENTIAL }) : null;
}

function failureOf(envelope: EkoEnvelope, httpStatus: number, rules: EkoRules): BareOutcome | null {
  if (envelope.statusId === EKO_IN_PROGRESS) {
    // With a success beside it nobody knows which of the two holds, and a code that was taken is not given twice.
    if (envelope.status === 0 && isOwnSuccess(envelope, rules)) return { kind: "unknown", reason: CONTRADICTORY };
    return { kind: "unavailable", reason: "another transaction of this user is in progress" };
  }
  if (hasNoCode(envelope)) {
    if (envelope.message !== EKO_MALFORMED_REQUEST) return null;
    return { kind: "rejected", reason: "parameters are missing or malformed" };
  }
  if (!saysNo(envelope, rules)) return null;
  const { data } = envelope;
  const detail = [data["reason"], data["description"]]
    .map((text) => (typeof text === "string" ? EKO_DETAILS.get(text) : undefined))
    .find((text) => text);
  for (const code of tellingCodes(envelope)) {
    if (EKO_UNAVAILABLE.has(code)) return { kind: "unavailable", reason: EKO_MEANINGS.get(code) ?? UNREADABLE };
    const reason = rules.rejects?.[code] ?? EKO_MEANINGS.get(code);
    if (reason !== undefined) return { kind: "rejected", reason: detail ?? reason };
  }
  if (httpStatus >= 500 || (isWrongCall(httpStatus) && !isWholeEnvelope(envelope))) return null;
  return { kind: "rejected", reason: detail ?? DECLINED };
}

/** A `status` that is not 0; without one, or against it, what the other two codes say. */
function saysNo(envelope: EkoEnvelope, rules: EkoRules): boolean {
  const { status, statusId, typeId } = envelope;
  if (status !== null) return status !== 0 || isNegative(envelope, rules) || isDenied(envelope, rules);
  if (typeId !== null && EKO_NEGATIVE_TYPES.has(typeId)) return true;
  return statusId !== null && (statusId === 1 || EKO_TELLING_STATUS_IDS.has(statusId));
}

function byHttpStatus(status: number, text: string | null): BareOutcome {
  if (isWrongCall(status)) return refused({ scope: "operation", reason: WRONG_CALL });
  if (status === 408) return { kind: "unknown", reason: TIMED_OUT_THERE };
  // Whether a 4xx that was cut off carried the reference of an OTP is not known.
  if (status >= 400 && status < 500 && text !== null) return { kind: "rejected", reason: DECLINED };
  return { kind: "unknown", reason: status >= 500 ? SERVER_ERROR : UNREADABLE };
}

function refused(refusal: Refusal): BareOutcome {
  return { kind: "refused", ...refusal };
}
