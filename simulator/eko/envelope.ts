import { type Body, htmlPage, json, type Reply } from "../reply.ts";

/** Eko answers every business result with HTTP 200; on failure `status` repeats the code (facts/eko §3.1). */
export function envelope(
  status: number,
  responseStatusId: number,
  responseTypeId: number,
  message: string,
  rest: Body = {},
): Reply {
  return json(200, {
    response_status_id: responseStatusId,
    response_type_id: responseTypeId,
    message,
    status,
    ...rest,
  });
}

/** A business failure whose code, type and status are one number. */
export function failure(code: number, message: string, data?: Body): Reply {
  return envelope(code, 1, code, message, data === undefined ? {} : { data });
}

/** Missing, malformed or undecryptable fields (facts/eko §4.4). */
export function invalidParams(fields: Readonly<Record<string, string>>): Reply {
  return envelope(97, 1, -1, "Please provide the value of the field", { invalid_params: fields });
}

/** A body that is no JSON object, or lacks what the gateway keys on (facts/eko §3.3, FIELD-B). */
export const noKeyForResponse: Reply = json(200, { message: "No key for Response" });

export const unknownInitiator: Reply = envelope(319, 1, 319, "Invalid Sender/Initiator", {
  invalid_params: { initiator_id: "Merchant does not exist in system." },
});

export const agentNotAllowed: Reply = failure(346, "Agent not allowed to this transaction");

/** Both forms have been seen; neither is documented (facts/eko §1.6). */
export function forbidden(form: "json" | "html"): Reply {
  return form === "html"
    ? htmlPage(403, "403 Forbidden")
    : json(403, { message: "Forbidden: invalid secret-key or timestamp mismatch" });
}

export const aadhaarPending = (otpRefId?: string): Reply =>
  failure(
    2136,
    "Aadhar Validation Pending",
    otpRefId === undefined ? undefined : { description: "", otp_ref_id: otpRefId },
  );

export const aadhaarFailed: Reply = failure(2138, "Adhar Validation Failed");

/** The clearest wrong-OTP body there is; published for DMT-Fino, none for DMT-Levin (facts/eko §4.5). */
export function otpFailed(why: "wrong" | "expired"): Reply {
  return envelope(2131, why === "wrong" ? 302 : 303, 2131, "Validate OTP Failed", {
    data: { description: why === "wrong" ? "Wrong OTP" : "OTP expired" },
  });
}

export const mobileOtpFailed: Reply = envelope(1, 1, 1632, "OTP verification failed.", { data: {} });

export function aepsFailed(reason: string): Reply {
  return failure(461, "Failed!Please try after some time", { last_used_okekey: "", reason });
}

export const AEPS_OTP_REASON = "The details entered are incorrect or the OTP has expired. Kindly request a new OTP.";
