import { createHmac } from "node:crypto";
import { assertNever } from "../../src/base/assert-never.ts";
import { ekoRoute } from "./eko-route.ts";
import { envelope, mobileOtpFailed } from "./envelope.ts";
import { javaDateInIndia } from "./java-date.ts";

const OTP = "eko.mobile-otp";

/** An OTP belongs to the mobile number and to the `client_ref_id` of its send (facts/eko §4.3). */
function handleOf(mobile: string, clientRefId: string | null): string {
  return `${mobile} ${clientRefId ?? ""}`;
}

export const mobileOtp = ekoRoute({
  operation: OTP,
  step: "send",
  method: "POST",
  paths: ["/tools/kyc/mobile/otp"],
  required: ["csp_id", "mobile"],
  mobileField: "mobile",
  carryOut({ form, mobile, clientRefId }, world) {
    const tid = world.draw.digits(10);
    const issued = world.sendOtp({
      operation: OTP,
      handle: handleOf(mobile, clientRefId),
      to: mobile,
      mobile: null,
      referenceTid: null,
      reference: tid,
      clientRefId,
    });
    const data = {
      client_ref_id: clientRefId ?? "",
      initiator_id: form.text("initiator_id"),
      otp_expiry_timestamp: javaDateInIndia(issued.expiresAt),
      tid,
      ...(world.configuration.echoOtp ? { otp: issued.otp } : {}),
    };
    return { reply: envelope(0, 0, 1623, "OTP has been sent", { data }), committed: "otp-sent" };
  },
});

/** Success and failure share type 1632; only "not found" has no `data`. */
export const mobileOtpVerify = ekoRoute({
  operation: "eko.mobile-otp.verify",
  step: "verify",
  method: "PUT",
  paths: ["/tools/kyc/mobile/otp/verify"],
  required: ["otp", "mobile"],
  mobileField: "mobile",
  carryOut({ form, mobile, clientRefId }, world) {
    const handle = handleOf(mobile, clientRefId);
    const redeemed = world.otps.redeem(OTP, handle, form.text("otp"), world.now(), world.configuration.wrongTries);
    switch (redeemed.kind) {
      case "wrong":
      case "expired":
        return { reply: mobileOtpFailed, committed: null };
      case "spent":
      case "unknown":
        return {
          reply: envelope(1, 1, 1632, "OTP not found. Please make the OTP request again."),
          committed: null,
        };
      case "accepted": {
        const data = {
          client_ref_id: clientRefId ?? "",
          otp_verification_token: verificationToken(mobile, world.draw.uuid()),
          initiator_id: form.text("initiator_id"),
          mobile,
          tid: world.draw.digits(10),
        };
        return { reply: envelope(0, 0, 1632, "OTP verification successful.", { data }), committed: "verified" };
      }
      default:
        return assertNever(redeemed, "redemption");
    }
  },
});

/** A JWT like the published sample: HS256, `payload` a string in it, an `exp` decades away (facts/eko §4.3). */
function verificationToken(mobile: string, tokenId: string): string {
  const payload = JSON.stringify({ token_id: tokenId, mobile, intent_id: 1 });
  const parts = [
    { typ: "JWT", alg: "HS256" },
    { iss: "auth0", payload, exp: 3_600_000_000 },
  ].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  const signed = parts.join(".");
  return `${signed}.${createHmac("sha256", "simulated").update(signed).digest("base64url")}`;
}
