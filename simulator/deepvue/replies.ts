import { assertNever } from "../../src/base/assert-never.ts";
import type { FaultName } from "../fault.ts";
import { type Body, htmlPage, json, type Reply } from "../reply.ts";
import type { ProviderManners } from "../route.ts";
import type { World } from "../world.ts";

/** A product answer: `code` repeats the HTTP status, `timestamp` is in ms, `transaction_id` 32 hex digits (facts/deepvue §2.1). */
export function product(world: World, status: number, subCode: string, message: string, rest: Body = {}): Reply {
  return json(status, {
    code: status,
    timestamp: world.now(),
    transaction_id: world.draw.hex(32),
    sub_code: subCode,
    message,
    ...rest,
  });
}

/** A gateway answer. */
export function gateway(status: number, detail: unknown): Reply {
  return json(status, { detail });
}

export const badPattern = (world: World): Reply =>
  product(world, 422, "INVALID_INPUT", "Invalid Aadhaar Number Pattern.");

export const pending = (world: World): Reply =>
  product(world, 409, "VERIFICATION_PENDING", "Otp already generated for this aadhaar, please try after some time.", {
    reference_id: "",
  });

/** FastAPI's own 422: `detail` is a list (facts/deepvue §2.1, last note). */
export function missingQuery(names: readonly string[]): Reply {
  return gateway(
    422,
    names.map((name) => ({ type: "missing", loc: ["query", name], msg: "Field required", input: null })),
  );
}

export const badCredentials = gateway(401, "Invalid client_id or client_secret, access Denied");

/**
 * Failures of verify-otp. No body of these is published (facts/deepvue §2.2): the messages are those of the probable
 * upstream (§2.3), the `sub_code`s are our guess, as are their HTTP statuses. Nothing may depend on them.
 */
export const verifyFailures = {
  wrong: (world: World) => product(world, 400, "INVALID_OTP", "OTP entered is invalid"),
  expired: (world: World) => product(world, 400, "OTP_EXPIRED", "Otp expired"),
  spent: (world: World) => product(world, 400, "SESSION_EXPIRED", "Session expired, please generate a new OTP"),
  unknown: (world: World) => product(world, 400, "INVALID_REFERENCE_ID", "Please enter a valid ref_id"),
} as const;

export const deepvueManners: ProviderManners = {
  notFound: () => gateway(404, "Not Found"),
  wrongMethod: () => gateway(405, "Method Not Allowed"),
  tooMany: () => gateway(429, "Rate limit exceeded. Please retry after some time."),
};

/** Deepvue's reply for an `instead` fault, or null where it has none. */
export function deepvueFaultReply(fault: FaultName, world: World): Reply | null {
  switch (fault) {
    case "mobile-not-linked":
      return product(world, 400, "AADHAAR_MOBILE_NOT_LINKED", "Aadhaar number does not have mobile number", {
        reference_id: world.draw.digits(8),
      });
    case "invalid-number":
      return product(world, 400, "INVALID_INPUT", "Invalid UID. Please enter valid UID");
    case "validation-failed":
      return badPattern(world);
    case "already-pending":
      return pending(world);
    case "wrong-otp":
      return verifyFailures.wrong(world);
    case "expired-otp":
      return verifyFailures.expired(world);
    case "temporary-failure":
      return product(
        world,
        500,
        "SOURCE_FAILURE",
        "Authorised source is temporarily unavailable, please try again shortly.",
      );
    case "unavailable":
      return gateway(503, "Source Unavailable");
    case "throttled":
      return deepvueManners.tooMany();
    case "bad-credentials":
      return badCredentials;
    case "account-inactive":
      return gateway(400, "Inactive client_id");
    case "message-only":
      return missingQuery(["purpose"]);
    case "bad-gateway":
      return htmlPage(502, "502 Bad Gateway");
    case "empty":
      return { kind: "empty", status: 204 };
    case "html-page":
      return htmlPage(200, "Scheduled maintenance");
    case "unknown-initiator": // Eko's alone
    case "agent-not-allowed":
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
