import { z } from "zod";
import { initiatorFields } from "../providers/eko/body.ts";
import { readEko, type EkoRules } from "../providers/eko/read.ts";
import { fillPath } from "../providers/path.ts";
import { clientRefId, initiator, mobile, otp } from "./fields.ts";
import { ekoOperation } from "./operation.ts";

/** 1632 comes for right and wrong OTPs alike, and only `status` tells them apart (facts/eko §4.3); 1604 is older. */
const RULES: EkoRules = {
  succeeds: { 1604: { verified: true }, 1632: { verified: true } },
  plain: { verified: true },
  rejects: { 1604: "wrong or expired OTP", 1632: "wrong or expired OTP" },
  keeps: ["client_ref_id", "tid"],
};

export const ekoMobileOtpVerify = ekoOperation({
  name: "eko.mobile-otp.verify",
  step: "verify",
  summary: "Verify the OTP sent to a customer's mobile number",
  path: "/tools/kyc/mobile/otp/verify",
  // The provider finds the OTP by the `client_ref_id` of its send (facts/eko §4.3).
  input: z.strictObject({ mobile, otp, client_ref_id: clientRefId, ...initiator }),
  example: { mobile: "9002336768", otp: "3643", client_ref_id: "211101129871" },
  of: {
    send: "eko.mobile-otp",
    takes: {
      mobile: { input: "mobile" },
      client_ref_id: "client_ref_id",
      initiator_id: { input: "initiator_id" },
    },
  },
  afterUnknown: "stop",
  prepare(input, context) {
    return {
      method: "PUT",
      path: fillPath(context.path, {}),
      query: {},
      body: {
        ...initiatorFields(input, context),
        client_ref_id: input.client_ref_id,
        otp: input.otp.open(),
        mobile: input.mobile.open(),
      },
    };
  },
  read: (reply, input) => readEko(reply, RULES, input),
});
