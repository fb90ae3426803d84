import type { ReplyFacts } from "../../outcomes/outcome.ts";
import { isSuccessStatus } from "../common-outcomes.ts";
import { codeOf, parseJsonObject, type JsonObject } from "../json.ts";
import { DEEPVUE_DETAILS, DEEPVUE_MEANINGS, DEEPVUE_REJECTIONS, DEEPVUE_TEXTS, keptSubCode } from "./codes.ts";
import { isJsonObject } from "../../base/json.ts";

/** Both of Deepvue's envelopes, the product's and the gateway's `{detail}`; what is absent or of a wrong type is null. */
export interface DeepvueEnvelope {
  readonly code: number | null;
  readonly subCode: string | null;
  /** `message`, or a `detail` that is text: it may be a list of FastAPI's, or anything (facts/deepvue §2.1). */
  readonly text: string | null;
  readonly timestamp: number | null;
  readonly referenceId: unknown;
  readonly transactionId: string | null;
  readonly data: JsonObject | null;
}

/** Null where the body is no JSON object. */
export function deepvueEnvelope(text: string | null): DeepvueEnvelope | null {
  const body = parseJsonObject(text);
  if (body === null) return null;
  const code = codeOf(body["code"]);
  return {
    code: code !== null && code >= 100 && code <= 599 ? code : null,
    subCode: textOf(body["sub_code"]),
    text: textOf(body["message"]) ?? textOf(body["detail"]),
    timestamp: typeof body["timestamp"] === "number" ? body["timestamp"] : null,
    referenceId: body["reference_id"],
    transactionId: transactionIdOf(body["transaction_id"]),
    data: isJsonObject(body["data"]) ? body["data"] : null,
  };
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** 32 hexadecimal digits, or a UUID on older endpoints (facts/deepvue §2.1); anything else is not kept. */
function transactionIdOf(value: unknown): string | null {
  return typeof value === "string" && /^(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i.test(value)
    ? value
    : null;
}

/** Statuses that a gateway speaks by, whatever body it lets through. */
const GATEWAY: ReadonlySet<number> = new Set([401, 403, 429, 503]);

/** HTTP's status and the body's `code` should agree; where they do not, the one that is no success holds (facts/deepvue §4). */
export function effectiveStatus(httpStatus: number, code: number | null): number {
  if (code === null || GATEWAY.has(httpStatus)) return httpStatus;
  return isSuccessStatus(code) && !isSuccessStatus(httpStatus) ? httpStatus : code;
}

/** What is kept of a reply. */
export function deepvueFacts(httpStatus: number, envelope: DeepvueEnvelope | null): ReplyFacts {
  const { subCode, text, code } = envelope ?? { subCode: null, text: null, code: null };
  const status = effectiveStatus(httpStatus, code);
  const meaning = DEEPVUE_REJECTIONS.get(`${status} ${subCode}`) ?? DEEPVUE_MEANINGS.get(status) ?? null;
  return {
    http_status: httpStatus,
    status: null,
    response_status_id: null,
    response_type_id: null,
    sub_code: subCode === null ? null : keptSubCode(subCode),
    message: text !== null && DEEPVUE_TEXTS.has(text) ? text : meaning,
  };
}

/** The reason of a rejection, in words of ours. */
export function rejectionReason(status: number, { subCode, text }: DeepvueEnvelope): string | null {
  const detail = text === null ? undefined : DEEPVUE_DETAILS.get(text);
  return detail ?? DEEPVUE_REJECTIONS.get(`${status} ${subCode}`) ?? null;
}
