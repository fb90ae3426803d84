import type { World } from "../world.ts";
import { ekoRoute, type EkoCall } from "./eko-route.ts";
import { AEPS_OTP_REASON, aepsFailed, envelope } from "./envelope.ts";
import type { Form } from "./form.ts";

const OTP = "eko.aeps-fingpay.ekyc-otp";
/** facts/eko §6: no space, not range-checked. */
const LATLONG = /^-?\d{1,3}(\.\d+)?,-?\d{1,3}(\.\d+)?$/;

/** `aadhaar` in the seed, `aadhar` in the provider's current specification (facts/eko §7.1): both are read. */
function readAadhaar(form: Form, world: World): string | null {
  return world.given.aadhaarKeys.decrypt(form.has("aadhar") ? form.text("aadhar") : form.text("aadhaar"));
}

function checkLatlong({ form }: EkoCall): Record<string, string> {
  return LATLONG.test(form.text("latlong")) ? {} : { latlong: "Please provide latitude,longitude" };
}

/** For example `EKYKF4719702240123152147525I`. */
function newTid(prefix: "EKYKF" | "BEKYF", world: World): string {
  return `${prefix}${world.draw.digits(22)}I`;
}

export const ekycOtp = ekoRoute({
  operation: OTP,
  step: "send",
  method: "POST",
  paths: ["/user/collection/aeps-fingpay/kyc/otp", "/customer/aeps/fingpay/kyc/otp"],
  required: ["user_code", "customer_id", "latlong"],
  mobileField: "customer_id",
  readAadhaar,
  check: checkLatlong,
  carryOut({ mobile, aadhaar, clientRefId }, world) {
    const reference = world.unusedReference(() => world.draw.digits(9));
    const referenceTid = newTid("EKYKF", world);
    const to = aadhaar ?? mobile;
    world.sendOtp({ operation: OTP, handle: reference, to, mobile, referenceTid, reference, clientRefId });
    const data = { reference_tid: referenceTid, otp_ref_id: reference };
    return { reply: envelope(0, 0, 1600, "OTP request has been sent", { data }), committed: "otp-sent" };
  },
});

/** Answers with new references, for the biometric step; every failure is 461 (facts/eko §4.4). */
export const ekycOtpVerify = ekoRoute({
  operation: "eko.aeps-fingpay.ekyc-otp.verify",
  step: "verify",
  method: "PUT",
  paths: ["/user/collection/aeps-fingpay/kyc/otp/verify"],
  required: ["user_code", "customer_id", "otp", "otp_ref_id", "reference_tid", "latlong"],
  mobileField: "customer_id",
  readAadhaar,
  check: checkLatlong,
  carryOut({ form, mobile, aadhaar }, world) {
    const reference = form.text("otp_ref_id");
    const sentFor = world.otps.find(OTP, reference);
    const belongs =
      sentFor?.mobile === mobile && sentFor.to === aadhaar && sentFor.referenceTid === form.text("reference_tid");
    const redeemed = belongs
      ? world.otps.redeem(OTP, reference, form.text("otp"), world.now(), world.configuration.wrongTries)
      : null;
    if (redeemed?.kind !== "accepted") return { reply: aepsFailed(AEPS_OTP_REASON), committed: null };
    const data = {
      user_code: form.text("user_code"),
      reference_tid: newTid("BEKYF", world),
      otp_ref_id: world.draw.digits(6),
    };
    return { reply: envelope(0, 0, 1604, "Validation successful", { data }), committed: "verified" };
  },
});
