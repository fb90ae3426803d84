import { z } from "zod";
import { agentFields, encryptedAadhaarField } from "../providers/eko/body.ts";
import { readEko, type EkoRules } from "../providers/eko/read.ts";
import { fillPath } from "../providers/path.ts";
import {
  aadhaar,
  aadhaarEncrypted,
  agent,
  customerId,
  latlong,
  optionalConsent,
  aadhaarOtp,
  otpRefId,
  referenceTid,
} from "./fields.ts";
import { ekoOperation } from "./operation.ts";

/** Its references are new ones: the biometric step takes these, not those of the send (facts/eko §4.4). */
const RULES: EkoRules = {
  succeeds: {
    1604: { verified: true, next_step: "biometric" },
    585: { verified: true, next_step: null },
  },
  plain: { verified: true, next_step: "biometric" },
  rejects: { 97: "a field is missing or cannot be decrypted: check EKO_AADHAAR_PUBLIC_KEY" },
  keeps: ["otp_ref_id", "reference_tid", "user_code"],
};

export const ekoAepsFingpayEkycOtpVerify = ekoOperation({
  name: "eko.aeps-fingpay.ekyc-otp.verify",
  step: "verify",
  summary: "Verify the OTP of an agent's one-time AePS Fingpay eKYC",
  path: "/user/collection/aeps-fingpay/kyc/otp/verify",
  input: z.strictObject({
    customer_id: customerId,
    aadhaar: aadhaar.optional(),
    aadhaar_encrypted: aadhaarEncrypted.optional(),
    otp: aadhaarOtp,
    otp_ref_id: otpRefId,
    reference_tid: referenceTid,
    latlong,
    consent: optionalConsent,
    ...agent,
  }),
  exactlyOne: ["aadhaar", "aadhaar_encrypted"],
  example: {
    customer_id: "9123456789",
    aadhaar: "999999990019",
    otp: "123456",
    otp_ref_id: "2465238",
    reference_tid: "EKYKF4719702240123152147525I",
    latlong: "28.6139,77.2090",
  },
  of: {
    send: "eko.aeps-fingpay.ekyc-otp",
    takes: {
      customer_id: { input: "customer_id" },
      consent: { input: "consent" },
      aadhaar: { input: "aadhaar" },
      aadhaar_encrypted: { input: "aadhaar_encrypted" },
      latlong: { input: "latlong" },
      initiator_id: { input: "initiator_id" },
      user_code: { input: "user_code" },
      otp_ref_id: { result: "otp_ref_id" },
      reference_tid: { result: "reference_tid" },
    },
  },
  afterUnknown: "stop",
  // Without `client_ref_id`: the seed has none here, and one more field once met "No key for Response" (facts/eko §4.4).
  prepare(input, context) {
    return {
      method: "PUT",
      path: fillPath(context.path, {}),
      query: {},
      body: {
        ...agentFields(input, context),
        customer_id: input.customer_id.open(),
        ...encryptedAadhaarField(input, context),
        otp: input.otp.open(),
        otp_ref_id: input.otp_ref_id.open(),
        reference_tid: input.reference_tid.open(),
        latlong: input.latlong.open(),
      },
    };
  },
  read: (reply, input) => readEko(reply, RULES, input),
});
