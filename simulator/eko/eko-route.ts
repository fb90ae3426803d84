import { EKO_BASE_PATH } from "../credentials.ts";
import type { SimulatedStep } from "../fault.ts";
import { type Answer, json, type Reply } from "../reply.ts";
import { type Arrival, header, type OpenedCall, type ProviderManners, type Route } from "../route.ts";
import type { World } from "../world.ts";
import { agentNotAllowed, forbidden, invalidParams, noKeyForResponse, unknownInitiator } from "./envelope.ts";
import { ekoFaultReply } from "./fault-replies.ts";
import { Form } from "./form.ts";
import { isSigned } from "./signature.ts";

/** One call whose fields are all there. */
export interface EkoCall {
  readonly form: Form;
  /** Path's or body's `customer_id`, else `mobile`. */
  readonly mobile: string;
  /** Clear; null where the call carries none. */
  readonly aadhaar: string | null;
  readonly clientRefId: string | null;
}

/** What one Eko operation adds to what they all do. */
export interface EkoOperation {
  readonly operation: string;
  readonly step: SimulatedStep;
  readonly method: Route["method"];
  /** Below the base path. */
  readonly paths: readonly string[];
  /** Besides `initiator_id`. */
  readonly required: readonly string[];
  readonly mobileField: "customer_id" | "mobile";
  /** The Aadhaar number in clear; null where it cannot be read. Absent: the call carries none. */
  readAadhaar?(form: Form, world: World): string | null;
  /** Aadhaar number that the OTP of a verify was sent to. */
  sentTo?(form: Form, world: World): string | null;
  /** What else is wrong, by field. */
  check?(call: EkoCall, world: World): Record<string, string>;
  carryOut(call: EkoCall, world: World): Answer;
}

export const ekoManners: ProviderManners = {
  notFound: () => json(404, { message: "No mapping rule matched" }),
  wrongMethod: () => json(405, { message: "Method Not Allowed" }), // body not documented
  tooMany: () => json(429, { message: "Too Many Requests" }), // nothing about 429 is documented (facts/eko §3.2)
};

const CLIENT_REF_ID = /^[A-Za-z0-9_-]{1,20}$/;

/** The checks in the order of the brief: content type, signature, fields, initiator, agent, reference. */
export function ekoRoute(operation: EkoOperation): Route {
  return {
    provider: "eko",
    operation: operation.operation,
    step: operation.step,
    method: operation.method,
    paths: operation.paths.map((path) => `${EKO_BASE_PATH}${path}`),
    admit: (arrival, world) => admit(operation, arrival, world),
    open: (arrival, world) => open(operation, arrival, world),
    faultReply: (fault) => ekoFaultReply(fault, operation.operation),
  };
}

function admit(operation: EkoOperation, arrival: Arrival, world: World): Reply | null {
  const isJson = /^application\/json\s*(;|$)/i.test(header(arrival, "content-type") ?? "");
  if (operation.method !== "GET" && !isJson) return json(415, { message: "Unsupported Media Type" });
  const headers = {
    developerKey: header(arrival, "developer_key"),
    secretKey: header(arrival, "secret-key"),
    timestamp: header(arrival, "secret-key-timestamp"),
  };
  const { signatureToleranceMs, forbiddenBody } = world.configuration;
  const signed = isSigned(headers, world.given.credentials.eko, world.now(), signatureToleranceMs);
  return signed ? null : forbidden(forbiddenBody);
}

function open(operation: EkoOperation, arrival: Arrival, world: World): OpenedCall {
  const form = operation.method === "GET" ? Form.fromQuery(arrival.query) : Form.fromJson(arrival.body ?? "");
  if (form === null) return { clientRefId: null, persons: [], next: { refused: noKeyForResponse } };

  const clientRefId = form.has("client_ref_id") ? form.text("client_ref_id") : null;
  const mobile = arrival.pathCustomer ?? form.text(operation.mobileField);
  const read = operation.readAadhaar?.(form, world) ?? null;
  const aadhaar = read ?? operation.sentTo?.(form, world) ?? null;
  const persons = [aadhaar, mobile].filter((person): person is string => person !== null && person !== "");
  const call: EkoCall = { form, mobile, aadhaar, clientRefId };
  const refused = wrongFields(operation, call, world) ?? unknownClient(form, world) ?? wrongReference(clientRefId);
  const next = refused === null ? { carryOut: () => operation.carryOut(call, world) } : { refused };
  return { clientRefId, persons, next };
}

function wrongFields(operation: EkoOperation, call: EkoCall, world: World): Reply | null {
  const wrong = call.form.missing(["initiator_id", ...operation.required]);
  if (!(operation.mobileField in wrong) && !/^\d{10}$/.test(call.mobile)) {
    wrong[operation.mobileField] = "Please provide a mobile number of 10 digits";
  }
  if (operation.readAadhaar !== undefined && call.aadhaar === null) {
    wrong["aadhar"] = "Please provide the value of the field {2} {3}"; // the provider's own text (facts/eko §4.4)
  }
  for (const [name, text] of Object.entries(operation.check?.(call, world) ?? {})) wrong[name] ??= text;
  return Object.keys(wrong).length === 0 ? null : invalidParams(wrong);
}

function unknownClient(form: Form, world: World): Reply | null {
  const { credentials } = world.given;
  const { userCodes, initiatorIds } = world.configuration;
  const initiator = form.text("initiator_id");
  if (initiator !== credentials.eko.initiatorId && !initiatorIds.includes(initiator)) return unknownInitiator;
  const agent = form.text("user_code");
  const known = agent === "" || agent === credentials.eko.userCode || userCodes.includes(agent);
  return known ? null : agentNotAllowed;
}

/** At most 20 characters (facts/eko §6); what the provider answers to more is not published. */
function wrongReference(clientRefId: string | null): Reply | null {
  if (clientRefId === null || CLIENT_REF_ID.test(clientRefId)) return null;
  return invalidParams({ client_ref_id: "Please provide 1 to 20 letters, digits, hyphens or underscores" });
}
