import { z } from "zod";
import { initiatorFields } from "../providers/eko/body.ts";
import { istToIso } from "../providers/eko/ist-time.ts";
import { readEko, type EkoRules } from "../providers/eko/read.ts";
import { fillPath } from "../providers/path.ts";
import { cspId, initiator, mobile } from "./fields.ts";
import { ekoOperation } from "./operation.ts";

/** 1623 now, 1600 in the older contract (facts/eko §7.14); the verify needs no reference but the `client_ref_id`. */
const RULES: EkoRules = {
  succeeds: { 1600: { otp_sent: true }, 1623: { otp_sent: true } },
  plain: { otp_sent: true },
  needs: [],
  keeps: ["client_ref_id", "tid", "otp_ref_id"],
  derive: (data) => ({ otp_valid_until: istToIso(data["otp_expiry_timestamp"]) }),
};

export const ekoMobileOtp = ekoOperation({
  name: "eko.mobile-otp",
  step: "send",
  subject: ["mobile"],
  summary: "Send an OTP to a customer's mobile number",
  path: "/tools/kyc/mobile/otp",
  input: z.strictObject({ mobile, csp_id: cspId, ...initiator }),
  example: { mobile: "9002336768", csp_id: "9002336768" },
  afterUnknown: "stop",
  prepare(input, context) {
    return {
      method: "POST",
      path: fillPath(context.path, {}),
      query: {},
      body: {
        ...initiatorFields(input, context),
        client_ref_id: context.clientRefId,
        csp_id: input.csp_id.open(),
        mobile: input.mobile.open(),
      },
    };
  },
  read: (reply, input) => readEko(reply, RULES, input),
});
