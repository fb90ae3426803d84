import { assertNever } from "../../src/base/assert-never.ts";
import type { FaultName } from "../fault.ts";
import { htmlPage, json, type Reply } from "../reply.ts";
import {
  AEPS_OTP_REASON,
  aadhaarFailed,
  aepsFailed,
  agentNotAllowed,
  failure,
  forbidden,
  mobileOtpFailed,
  noKeyForResponse,
  otpFailed,
  unknownInitiator,
} from "./envelope.ts";

/** Which family of replies an operation has. */
type Rail = "levin" | "aeps" | "mobile";

function railOf(operation: string): Rail {
  if (operation.startsWith("eko.dmt-levin.")) return "levin";
  return operation.startsWith("eko.aeps-fingpay.") ? "aeps" : "mobile";
}

/**
 * Eko's reply for an `instead` fault, or null where Eko (or this operation) has none.
 * Not published word for word, so the nearest shape of facts/eko §3.3: 463, 544, and every 4xx/5xx body.
 */
export function ekoFaultReply(fault: FaultName, operation: string): Reply | null {
  const rail = railOf(operation);
  switch (fault) {
    case "mobile-not-linked":
    case "validation-failed":
      return {
        levin: aadhaarFailed,
        aeps: aepsFailed(
          fault === "mobile-not-linked" ? "Merchant is Inactive or Invalid Details" : "Transaction Not Completed",
        ),
        mobile: null,
      }[rail];
    case "invalid-number":
      return {
        // The seed's own page; a placeholder, but what a reader of that page will handle (facts/eko §4.1).
        levin: json(200, {
          status: 1,
          response_status_id: 301,
          response_type_id: 1388,
          message: "Invalid Aadhaar number provided.",
          data: {},
        }),
        aeps: aepsFailed("Merchant is Inactive or Invalid Details"),
        mobile: failure(463, "User not found"),
      }[rail];
    case "wrong-otp":
    case "expired-otp":
      return {
        levin: otpFailed(fault === "wrong-otp" ? "wrong" : "expired"),
        aeps: aepsFailed(AEPS_OTP_REASON),
        mobile: mobileOtpFailed,
      }[rail];
    case "temporary-failure":
      return failure(544, "Bank is not available now");
    case "unavailable":
      return htmlPage(503, "503 Service Temporarily Unavailable");
    case "throttled":
      return json(429, { message: "Too Many Requests" });
    case "bad-credentials":
      return { kind: "empty", status: 401 }; // FIELD-A: a bare 401
    case "account-inactive":
      return forbidden("html");
    case "unknown-initiator":
      return unknownInitiator;
    case "agent-not-allowed":
      return agentNotAllowed;
    case "message-only":
      return noKeyForResponse;
    case "bad-gateway":
      return htmlPage(502, "502 Bad Gateway");
    case "empty":
      return { kind: "empty", status: 204 };
    case "html-page":
      return htmlPage(200, "Scheduled maintenance");
    case "already-pending": // Eko has no 409
    case "reset-before-commit":
    case "slow":
    case "drop-after-commit":
    case "wrong-types":
    case "cut-short":
    case "never-ending":
    case "huge-body":
      return null;
    default:
      return assertNever(fault, "fault");
  }
}
