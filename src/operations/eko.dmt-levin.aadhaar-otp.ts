import { z } from "zod";
import { agentFields } from "../providers/eko/body.ts";
import { readEko, type EkoRules } from "../providers/eko/read.ts";
import { fillPath } from "../providers/path.ts";
import { aadhaar, additionalInfo, agent, customerId, optionalConsent, otpRefId } from "./fields.ts";
import { ekoOperation } from "./operation.ts";

const RULES: EkoRules = {
  succeeds: { 2129: { otp_sent: true }, 585: { otp_sent: false, already_verified: true } },
  plain: { otp_sent: true },
  needs: ["otp_ref_id"],
  keeps: ["otp_ref_id", "kyc_request_id", "user_code"],
};

export const ekoDmtLevinAadhaarOtp = ekoOperation({
  name: "eko.dmt-levin.aadhaar-otp",
  step: "send",
  subject: ["aadhaar"],
  summary: "Validate a DMT-Levin sender's Aadhaar number and send an OTP to the linked mobile",
  path: "/customer/payment/dmt-levin/sender/{customer_id}/aadhaar/otp",
  input: z.strictObject({
    customer_id: customerId,
    aadhaar,
    otp_ref_id: otpRefId,
    additional_info: additionalInfo,
    consent: optionalConsent,
    ...agent,
  }),
  example: { customer_id: "9876543210", aadhaar: "999999990019", otp_ref_id: "73849201" },
  afterUnknown: "stop",
  prepare(input, context) {
    return {
      method: "POST",
      path: fillPath(context.path, { customer_id: input.customer_id.open() }),
      query: {},
      body: {
        ...agentFields(input, context),
        client_ref_id: context.clientRefId,
        aadhar: input.aadhaar.open(),
        otp_ref_id: input.otp_ref_id.open(),
        additional_info: input.additional_info,
      },
    };
  },
  read: (reply, input) => readEko(reply, RULES, input),
});
