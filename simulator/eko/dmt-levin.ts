import { assertNever } from "../../src/base/assert-never.ts";
import { identityOf } from "../identity.ts";
import type { Answer, Body, Reply } from "../reply.ts";
import type { World } from "../world.ts";
import { ekoRoute, type EkoCall } from "./eko-route.ts";
import { aadhaarPending, envelope, failure, otpFailed } from "./envelope.ts";

const OTP = "eko.dmt-levin.aadhaar-otp";

/** GET sender (facts/eko §4.1); 308 is published for PPI-Levin, its shape is taken from there. */
export const sender = ekoRoute({
  operation: "eko.dmt-levin.sender",
  step: "read",
  method: "GET",
  paths: ["/customer/payment/dmt-levin/sender/{customer_id}", "/customer/profile/{customer_id}/dmt-levin"],
  required: ["user_code"],
  mobileField: "customer_id",
  carryOut({ mobile }, world) {
    const state = world.senders.state(mobile, world.configuration.endings);
    switch (state) {
      case "enrolled":
        return unchanged(envelope(0, -1, 309, "Success!", { data: profile(mobile) }));
      case "not-enrolled":
        return unchanged(failure(308, "Failure!Customer Not Enrolled", { sender_name: "", ekyc_enabled: "" }));
      case "aadhaar-pending":
        return unchanged(aadhaarPending(world.senders.newReference(mobile, world.draw)));
      default:
        return assertNever(state, "sender state");
    }
  },
});

/**
 * POST sender. The published body has no `otp_ref_id`; the seed says that Create Sender returns one, so it is there.
 * No OTP is sent.
 */
export const senderCreate = ekoRoute({
  operation: "eko.dmt-levin.sender.create",
  step: "create",
  method: "POST",
  paths: ["/customer/payment/dmt-levin/sender/{customer_id}", "/customer/account/{customer_id}/dmt-levin"],
  required: ["user_code", "name", "dob", "residence_address"],
  mobileField: "customer_id",
  check: ({ form }) =>
    /^\d{4}-\d{2}-\d{2}$/.test(form.text("dob")) ? {} : { dob: "Please provide the date as YYYY-MM-DD" },
  carryOut({ form, mobile }, world) {
    if (world.senders.state(mobile, world.configuration.endings) !== "enrolled") {
      world.senders.set(mobile, "aadhaar-pending");
    }
    const data = {
      customer_id_type: "mobile_number",
      user_code: form.text("user_code"),
      state_desc: "",
      state: "",
      customer_id: mobile,
      otp_ref_id: world.senders.newReference(mobile, world.draw),
    };
    return { reply: envelope(0, 0, 300, "Wallet opened successfully.", { data }), committed: "sender-created" };
  },
});

/** Here the Aadhaar number is plain digits, not encrypted (facts/eko §5). */
export const aadhaarOtp = ekoRoute({
  operation: OTP,
  step: "send",
  method: "POST",
  paths: [
    "/customer/payment/dmt-levin/sender/{customer_id}/aadhaar/otp",
    "/customer/account/{customer_id}/dmt-levin/aadhaar",
  ],
  required: ["user_code", "aadhar", "otp_ref_id", "additional_info"],
  mobileField: "customer_id",
  readAadhaar: (form) => (/^\d{12}$/.test(form.text("aadhar")) ? form.text("aadhar") : null),
  check: ({ form, mobile }, world) =>
    !world.configuration.checkSenderReference || world.senders.isReference(mobile, form.text("otp_ref_id"))
      ? {}
      : { otp_ref_id: "Please provide the reference of the sender" },
  carryOut({ mobile, aadhaar, clientRefId }, world) {
    const form = envelopeForm(world);
    const reference = world.unusedReference(() => (form === "2129" ? world.draw.uuid() : world.draw.digits(8)));
    const to = aadhaar ?? mobile;
    world.sendOtp({ operation: OTP, handle: reference, to, mobile, referenceTid: null, reference, clientRefId });
    return { reply: otpSent(form, reference, mobile), committed: "otp-sent" };
  },
});

/** Intent 19 asks about the sender, 20 (default) about the Aadhaar number. */
export const aadhaarOtpVerify = ekoRoute({
  operation: "eko.dmt-levin.aadhaar-otp.verify",
  step: "verify",
  method: "POST",
  paths: [
    "/customer/payment/dmt-levin/sender/{customer_id}/aadhaar/otp/verify",
    "/customer/account/{customer_id}/dmt-levin/otp/verify",
  ],
  required: ["user_code", "otp", "otp_ref_id"],
  mobileField: "customer_id",
  sentTo: (form, world) => world.otps.find(OTP, form.text("otp_ref_id"))?.to ?? null,
  check: ({ form }) =>
    ["", "19", "20"].includes(form.text("intent_id")) ? {} : { intent_id: "Please provide 19 or 20" },
  carryOut: verify,
});

function verify({ form, mobile, aadhaar }: EkoCall, world: World): Answer {
  const { configuration, senders } = world;
  const reference = form.text("otp_ref_id");
  const sentFor = world.otps.find(OTP, reference);
  if (sentFor === undefined || sentFor.mobile !== mobile) return unchanged(otpFailed("wrong"));

  const redeemed = world.otps.redeem(OTP, reference, form.text("otp"), world.now(), configuration.wrongTries);
  if (redeemed.kind === "wrong") return unchanged(otpFailed("wrong"));
  if (redeemed.kind !== "accepted") return unchanged(otpFailed("expired")); // also used or replaced: not documented

  if (form.text("intent_id") === "19" && senders.state(mobile, configuration.endings) !== "enrolled") {
    return { reply: aadhaarPending(), committed: "verified" };
  }
  senders.set(mobile, "enrolled");
  if (form.text("intent_id") === "19" || configuration.levinVerified === "2134") {
    const data = { user_code: form.text("user_code"), otp_ref_id: senders.newReference(mobile, world.draw) };
    return { reply: failure(2134, "Customer KYC Pending", data), committed: "verified" };
  }
  return { reply: verifiedAsInTheSeed(aadhaar ?? sentFor.to), committed: "verified" };
}

type SentForm = "2129" | "zero" | "seed";

function envelopeForm(world: World): SentForm {
  const { otpSentEnvelope } = world.configuration;
  if (otpSentEnvelope !== "both") return otpSentEnvelope;
  return world.turn(OTP) % 2 === 0 ? "2129" : "zero";
}

function otpSent(form: SentForm, reference: string, mobile: string): Reply {
  const hint = `******${mobile.slice(6)}`;
  switch (form) {
    case "2129":
      return failure(2129, "Validate the OTP", { intent_id: "", kyc_request_id: "", otp_ref_id: reference });
    case "zero":
      return envelope(0, 0, 2129, "Validate the OTP", {
        data: { intent_id: 20, kyc_request_id: "", otp_ref_id: reference, mobile_hint: hint },
      });
    case "seed":
      return envelope(0, 0, 1388, "Aadhaar OTP dispatched successfully", {
        data: { otp_ref_id: reference, mobile_hint: hint },
      });
    default:
      return assertNever(form, "envelope form");
  }
}

function verifiedAsInTheSeed(aadhaar: string): Reply {
  const { name, gender, dateOfBirth } = identityOf(aadhaar);
  return envelope(0, 0, 1388, "Aadhaar OTP verified successfully", {
    data: { verified: true, name, gender, dob: dateOfBirth, masked_aadhaar: `XXXX-XXXX-${aadhaar.slice(8)}` },
  });
}

function profile(mobile: string): Body {
  return {
    customer_profile: {
      total_monthly_limit: "25000",
      mobile,
      balance: "0.00",
      next_allowed_limit: "24900.0",
      name: null,
      ekyc_enabled: 0,
      digital_ekyc: 0,
      kyc_state: 0,
      kyc_id: "",
      chart: [{ data_type_id: 10, data: { unavailable: 0, used: 100, remaining: 24_900 }, label: "" }],
    },
    wallet_token: "",
    wallet_id: "",
    is_registered: 0,
    next_allowed_limit: 24_900,
    kyc_state: 0,
  };
}

function unchanged(reply: Reply): Answer {
  return { reply, committed: null };
}
