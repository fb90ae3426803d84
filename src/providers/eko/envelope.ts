import type { ReplyFacts } from "../../outcomes/outcome.ts";
import { codeOf, parseJsonObject, type JsonObject } from "../json.ts";
import type { EchoGuard } from "../echo-guard.ts";
import { EKO_MEANINGS, EKO_STATUS_IDS, EKO_TELLING_STATUS_IDS, EKO_TYPE_IDS } from "./codes.ts";
import { EKO_TEXTS } from "./texts.ts";
import { isJsonObject } from "../../base/json.ts";

/** The envelope around every Eko reply (facts/eko §3.1); what is absent or of a wrong type is null or empty. */
export interface EkoEnvelope {
  /** The business code; 0 = success, 1 = a failure without a code of its own. */
  readonly status: number | null;
  readonly statusId: number | null;
  /** One per shape of reply: what to branch on. */
  readonly typeId: number | null;
  readonly message: string | null;
  readonly data: JsonObject;
  readonly invalidParams: JsonObject;
}

/** Null where the body is no JSON object. */
export function ekoEnvelope(httpStatus: number, text: string | null): EkoEnvelope | null {
  const body = parseJsonObject(text);
  if (body === null) return null;
  const statusId = codeOf(body["response_status_id"]);
  const typeId = codeOf(body["response_type_id"]);
  const status = codeOf(body["status"]);
  return {
    // Web servers say `{"status":404,"error":"Not Found"}`: that is HTTP's status once more, and no business code.
    status: status === httpStatus && statusId === null && typeId === null ? null : status,
    statusId,
    typeId,
    message: typeof body["message"] === "string" ? body["message"] : null,
    data: dataOf(body["data"]),
    invalidParams: isJsonObject(body["invalid_params"]) ? body["invalid_params"] : {},
  };
}

/** Absent, `{}`, or (facts/eko §3.1, one field report) a list, whose first object is meant. */
function dataOf(data: unknown): JsonObject {
  const first: unknown = Array.isArray(data) ? data.find(isJsonObject) : data;
  return isJsonObject(first) ? first : {};
}

/** The codes that say most, most telling first. */
export function tellingCodes({ status, statusId, typeId }: EkoEnvelope): number[] {
  const telling = statusId !== null && EKO_TELLING_STATUS_IDS.has(statusId) ? statusId : null;
  return [telling, status, typeId].filter((code) => code !== null && code !== 0 && code !== 1) as number[];
}

/** Whether Eko's own service answered, and not something in front of it. */
export function isWholeEnvelope({ statusId, typeId }: EkoEnvelope): boolean {
  return statusId !== null || typeId !== null;
}

/** What is kept of a reply. */
export function ekoFacts(httpStatus: number, envelope: EkoEnvelope | null, echoGuard: EchoGuard): ReplyFacts {
  const { status, statusId, typeId, message } = envelope ?? NO_ENVELOPE;
  const codes = envelope === null ? [] : tellingCodes(envelope);
  const meaning = codes.map((code) => EKO_MEANINGS.get(code)).find((text) => text !== undefined);
  return {
    http_status: httpStatus,
    status: keptCode(status, EKO_MEANINGS, echoGuard),
    response_status_id: keptCode(statusId, EKO_STATUS_IDS, echoGuard),
    response_type_id: keptCode(typeId, EKO_TYPE_IDS, echoGuard),
    sub_code: null,
    message: message !== null && EKO_TEXTS.has(message) ? message : (meaning ?? null),
  };
}

const NO_ENVELOPE = { status: null, statusId: null, typeId: null, message: null };

/** Unknown codes are kept too, so that the tables can be completed, but nothing that could be an OTP or a number. */
function keptCode(code: number | null, known: { has(code: number): boolean }, echoGuard: EchoGuard): number | null {
  if (code === null || known.has(code)) return code;
  return Math.abs(code) <= 9999 && !echoGuard.hasEcho(String(code)) ? code : null;
}
