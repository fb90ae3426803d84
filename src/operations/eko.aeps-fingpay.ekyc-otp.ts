import { z } from "zod";
import { agentFields, encryptedAadhaarField } from "../providers/eko/body.ts";
import { readEko, type EkoRules } from "../providers/eko/read.ts";
import { fillPath } from "../providers/path.ts";
import { aadhaar, aadhaarEncrypted, agent, customerId, latlong, optionalConsent } from "./fields.ts";
import { ekoOperation } from "./operation.ts";

const RULES: EkoRules = {
  succeeds: { 1600: { otp_sent: true }, 585: { otp_sent: false, already_verified: true } },
  plain: { otp_sent: true },
  needs: ["otp_ref_id", "reference_tid"],
  rejects: { 97: "a field is missing or cannot be decrypted: check EKO_AADHAAR_PUBLIC_KEY" },
  keeps: ["otp_ref_id", "reference_tid", "user_code"],
};

export const ekoAepsFingpayEkycOtp = ekoOperation({
  name: "eko.aeps-fingpay.ekyc-otp",
  step: "send",
  subject: ["aadhaar", "customer_id"],
  summary: "Send the OTP of an agent's one-time AePS Fingpay eKYC",
  path: "/user/collection/aeps-fingpay/kyc/otp",
  input: z.strictObject({
    customer_id: customerId,
    aadhaar: aadhaar.optional(),
    aadhaar_encrypted: aadhaarEncrypted.optional(),
    latlong,
    consent: optionalConsent,
    ...agent,
  }),
  exactlyOne: ["aadhaar", "aadhaar_encrypted"],
  example: { customer_id: "9123456789", aadhaar: "999999990019", latlong: "28.6139,77.2090" },
  afterUnknown: "stop",
  prepare(input, context) {
    return {
      method: "POST",
      path: fillPath(context.path, {}),
      query: {},
      body: {
        ...agentFields(input, context),
        client_ref_id: context.clientRefId,
        customer_id: input.customer_id.open(),
        ...encryptedAadhaarField(input, context),
        latlong: input.latlong.open(),
      },
    };
  },
  read: (reply, input) => readEko(reply, RULES, input),
});
