import { z } from "zod";
import { otpValidUntil, type ReadSuccess, readDeepvue } from "../providers/deepvue/read.ts";
import { fillPath } from "../providers/path.ts";
import { referenceOf, divideReply } from "../providers/divide-reply.ts";
import { aadhaar, consent, purpose } from "./fields.ts";
import { deepvueOperation } from "./operation.ts";

/** Without its reference the OTP that the person got cannot be verified (facts/deepvue §0.2). */
const success: ReadSuccess = ({ referenceId, transactionId, timestamp }, echoGuard) => {
  if (referenceOf(referenceId) === null) return null;
  const { result, personal } = divideReply({ reference_id: referenceId }, ["reference_id"], echoGuard);
  const about = { transaction_id: transactionId, otp_valid_until: otpValidUntil(timestamp) };
  return { result: { otp_sent: true, ...result, ...about }, personal };
};

export const deepvueAadhaarOtp = deepvueOperation({
  name: "deepvue.aadhaar-otp",
  step: "send",
  subject: ["aadhaar"],
  summary: "Send an OTP to the mobile number linked to an Aadhaar number",
  path: "/v2/ekyc/aadhaar/generate-otp",
  input: z.strictObject({ aadhaar, purpose, consent }),
  example: {
    aadhaar: "999999990019",
    purpose: "ForKYC",
    consent: { reference: "consent-2026-0001", method: "checkbox", obtained_at: "2026-01-31T10:00:00+05:30" },
  },
  afterUnknown: "resend-after-cooldown",
  prepare(input, context) {
    return {
      method: "POST",
      path: fillPath(context.path, {}),
      query: { aadhaar_number: input.aadhaar.open(), consent: "Y", purpose: input.purpose },
      body: null,
    };
  },
  read: (reply, input) => readDeepvue(reply, success, input),
});
