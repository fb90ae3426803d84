import type { OpenInput } from "../call.ts";
import { OTP_LIFE_MS } from "../../outcomes/challenge.ts";
import type { Outcome, Personal, Result } from "../../outcomes/outcome.ts";
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
import type { HttpReply } from "../http.ts";
import { retryAfterMs } from "../retry-after.ts";
import { EchoGuard } from "../echo-guard.ts";
import { DEEPVUE_CREDENTIAL_DETAILS, NO_BALANCE } from "./codes.ts";
import { deepvueEnvelope, deepvueFacts, effectiveStatus, rejectionReason, type DeepvueEnvelope } from "./envelope.ts";

/** What a success gives; null where the reply lacks what makes it one. */
export type ReadSuccess = (
  envelope: DeepvueEnvelope,
  echoGuard: EchoGuard,
) => { readonly result: Result; readonly personal: Personal } | null;

/** Reads any reply of Deepvue; never throws. `input` is what the call was made with. */
export function readDeepvue(reply: HttpReply, success: ReadSuccess, input: OpenInput): Outcome {
  if (reply.kind === "none") return withoutReply(reply);
  const envelope = deepvueEnvelope(reply.text);
  const status = effectiveStatus(reply.status, envelope?.code ?? null);
  const outcome =
    contradictionOf(status, envelope) ??
    accountOutcome(status, envelope) ??
    byStatus(status, reply, envelope) ??
    (envelope === null || !isSuccessStatus(status) ? null : successOf(status, envelope, success, new EchoGuard(input)));
  return { ...(outcome ?? { kind: "unknown", reason: UNREADABLE }), reply: deepvueFacts(reply.status, envelope) };
}

/** What the product did is not undone by a status in front of it: read as that, a send or a verify would be made twice. */
function contradictionOf(status: number, envelope: DeepvueEnvelope | null): BareOutcome | null {
  return envelope?.subCode === "SUCCESS" && !isSuccessStatus(status)
    ? { kind: "unknown", reason: CONTRADICTORY }
    : null;
}

/** Ours to mend: the key, or the wallet behind it. */
function accountOutcome(status: number, envelope: DeepvueEnvelope | null): BareOutcome | null {
  if (status === 401 || status === 403) return { kind: "refused", scope: "credential", reason: BAD_CREDENTIAL };
  const noBalance =
    NO_BALANCE.test(envelope?.subCode ?? "") ||
    (envelope?.subCode === null && isRequestError(status) && NO_BALANCE.test(envelope.text ?? ""));
  if (status === 402 || noBalance) {
    return { kind: "refused", scope: "credential", reason: "the balance is insufficient" };
  }
  if (isRequestError(status) && envelope?.subCode === null && DEEPVUE_CREDENTIAL_DETAILS.has(envelope.text ?? "")) {
    return { kind: "refused", scope: "credential", reason: BAD_CREDENTIAL };
  }
  return null;
}

function byStatus(
  status: number,
  { text, headers }: Extract<HttpReply, { kind: "reply" }>,
  envelope: DeepvueEnvelope | null,
): BareOutcome | null {
  if (status === 429) return { kind: "throttled", retryAfterMs: retryAfterMs(headers) };
  if (status === 503) return { kind: "unavailable", reason: "the source is not available" };
  if (status === 409) return PENDING;
  // A `sub_code` shows that the product answered: then the path was right, and the no is about the person.
  if (isWrongCall(status) && (envelope?.subCode ?? null) === null) {
    return { kind: "refused", scope: "operation", reason: WRONG_CALL };
  }
  if (status === 408) return { kind: "unknown", reason: TIMED_OUT_THERE };
  if (isRequestError(status)) {
    // What was cut off may have said that the credential or the balance is at fault.
    if (text === null) return { kind: "unknown", reason: UNREADABLE };
    return { kind: "rejected", reason: (envelope && rejectionReason(status, envelope)) ?? DECLINED };
  }
  if (status >= 500) {
    return envelope?.subCode === "SOURCE_FAILURE" ? SOURCE_FAILURE : { kind: "unknown", reason: SERVER_ERROR };
  }
  return null;
}

const PENDING: BareOutcome = { kind: "pending", reason: "an OTP was generated for this Aadhaar number a moment ago" };
const SOURCE_FAILURE: BareOutcome = { kind: "unavailable", reason: "the source is temporarily unavailable" };

/** A 200 whose `sub_code` says no is one: several such providers answer so (facts/deepvue §4). */
function successOf(
  status: number,
  envelope: DeepvueEnvelope,
  success: ReadSuccess,
  echoGuard: EchoGuard,
): BareOutcome | null {
  switch (envelope.subCode) {
    case "VERIFICATION_PENDING":
      return PENDING;
    case "SOURCE_FAILURE":
      return SOURCE_FAILURE;
    case "INVALID_INPUT":
    case "AADHAAR_MOBILE_NOT_LINKED":
      return { kind: "rejected", reason: rejectionReason(400, envelope) ?? DECLINED };
    case "SUCCESS":
    case null: {
      const { transactionId } = envelope;
      const hasEcho = transactionId !== null && echoGuard.hasEcho(transactionId);
      const kept = hasEcho ? { ...envelope, transactionId: null } : envelope;
      const read = status === 200 ? success(kept, echoGuard) : null;
      if (read === null) return null;
      const { result, personal } = read;
      return { kind: "succeeded", result, ...(Object.keys(personal).length === 0 ? {} : { personal }) };
    }
    default:
      return null;
  }
}

function isRequestError(status: number): boolean {
  return status >= 400 && status < 500;
}

/** ISO 8601, from the timestamp (ms) of the reply that tells of the OTP; null where that is none of the years 2020 to 2100. */
export function otpValidUntil(timestamp: number | null): string | null {
  const isPlausible = timestamp !== null && timestamp > Date.UTC(2020) && timestamp < Date.UTC(2100);
  return isPlausible ? new Date(timestamp + OTP_LIFE_MS).toISOString() : null;
}
