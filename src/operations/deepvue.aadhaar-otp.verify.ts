import { z } from "zod";
import { readDeepvue, type ReadSuccess } from "../providers/deepvue/read.ts";
import { fillPath } from "../providers/path.ts";
import { maskedAadhaar } from "../providers/divide-reply.ts";
import { aadhaarOtp, consent, ekycWishes, purpose, referenceId } from "./fields.ts";
import { deepvueOperation } from "./operation.ts";

/** `data` is about the person, all of it. A success says SUCCESS, or at least has a code and data. */
const success: ReadSuccess = ({ code, subCode, transactionId, data }) => {
  if (subCode === null && (code === null || data === null)) return null;
  const match = data?.["aadhaar_linked_mobile_match"];
  const result = {
    verified: true,
    transaction_id: transactionId,
    masked_aadhaar: maskedAadhaar(data?.["maskedNumber"]),
    mobile_match: match === "Yes" ? true : match === "No" ? false : null,
  };
  return { result, personal: data ?? {} };
};

export const deepvueAadhaarOtpVerify = deepvueOperation({
  name: "deepvue.aadhaar-otp.verify",
  step: "verify",
  summary: "Verify an Aadhaar OTP and fetch the person's eKYC data",
  path: "/v2/ekyc/aadhaar/verify-otp",
  input: z.strictObject({
    otp: aadhaarOtp,
    reference_id: referenceId,
    purpose,
    consent,
    ...ekycWishes,
  }),
  example: {
    otp: "123456",
    reference_id: "29756208",
    purpose: "ForKYC",
    consent: { reference: "consent-2026-0001", method: "checkbox", obtained_at: "2026-01-31T10:00:00+05:30" },
  },
  of: {
    send: "deepvue.aadhaar-otp",
    takes: {
      reference_id: { result: "reference_id" },
      purpose: { input: "purpose" },
      consent: { input: "consent" },
    },
  },
  afterUnknown: "stop",
  prepare(input, context) {
    return {
      method: "POST",
      path: fillPath(context.path, {}),
      query: {
        otp: input.otp.open(),
        reference_id: input.reference_id.open(),
        consent: "Y",
        purpose: input.purpose,
        ...(input.mobile_number === undefined ? {} : { mobile_number: input.mobile_number.open() }),
        ...(input.generate_pdf === true ? { generate_pdf: "true" } : {}),
      },
      body: null,
    };
  },
  read: (reply, input) => readDeepvue(reply, success, input),
});
