import { z } from "zod";
import { agentFields, wireInteger } from "../providers/eko/body.ts";
import { readEko, type EkoRules } from "../providers/eko/read.ts";
import { fillPath } from "../providers/path.ts";
import { maskedAadhaar } from "../providers/divide-reply.ts";
import { additionalInfo, agent, customerId, intentId, optionalConsent, aadhaarOtp, otpRefId } from "./fields.ts";
import { ekoOperation } from "./operation.ts";

/** Aadhaar validation: a new customer's Aadhaar is still pending after the right OTP of the onboarding only. */
const AADHAAR: EkoRules = {
  succeeds: {
    309: { verified: true, next_step: null },
    585: { verified: true, next_step: null },
    2132: { verified: true, next_step: null },
    2134: { verified: true, next_step: "biometric" },
    2147: { verified: true, next_step: "pan" },
  },
  plain: { verified: true, next_step: null },
  rejects: { 2136: "the Aadhaar number was not validated" },
  keeps: ["otp_ref_id", "user_code"],
  derive: (data) => {
    const masked = maskedAadhaar(data["masked_aadhaar"]);
    return masked === null ? {} : { masked_aadhaar: masked };
  },
};

const ONBOARDING: EkoRules = {
  ...AADHAAR,
  succeeds: { ...AADHAAR.succeeds, 2136: { verified: true, next_step: "aadhaar" } },
  rejects: {},
};

export const ekoDmtLevinAadhaarOtpVerify = ekoOperation({
  name: "eko.dmt-levin.aadhaar-otp.verify",
  step: "verify",
  summary: "Verify the Aadhaar OTP of a DMT-Levin sender",
  path: "/customer/payment/dmt-levin/sender/{customer_id}/aadhaar/otp/verify",
  input: z.strictObject({
    customer_id: customerId,
    otp: aadhaarOtp,
    otp_ref_id: otpRefId,
    intent_id: intentId,
    additional_info: additionalInfo,
    consent: optionalConsent,
    ...agent,
  }),
  example: { customer_id: "9876543210", otp: "123456", otp_ref_id: "93847201" },
  of: {
    send: "eko.dmt-levin.aadhaar-otp",
    takes: {
      customer_id: { input: "customer_id" },
      consent: { input: "consent" },
      otp_ref_id: { result: "otp_ref_id" },
      initiator_id: { input: "initiator_id" },
      user_code: { input: "user_code" },
    },
  },
  afterUnknown: "stop",
  prepare(input, context) {
    return {
      method: "POST",
      path: fillPath(context.path, { customer_id: input.customer_id.open() }),
      query: {},
      body: {
        ...agentFields(input, context),
        client_ref_id: context.clientRefId,
        otp: wireInteger(input.otp.open()),
        otp_ref_id: wireInteger(input.otp_ref_id.open()),
        intent_id: input.intent_id,
        additional_info: input.additional_info,
      },
    };
  },
  read: (reply, input) => readEko(reply, input.intent_id === "19" ? ONBOARDING : AADHAAR, input),
});
