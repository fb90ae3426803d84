import { z } from "zod";
import { aadhaar, aadhaarEncrypted, agent, customerId, latlong, optionalConsent } from "../operations/fields.ts";
import { END, flow } from "./flow.ts";

/** Ends where a finger is needed: its result has `otp_ref_id` and `reference_tid`, which the biometric step takes. */
export const ekoAepsFingpay = flow({
  name: "eko.aeps-fingpay",
  provider: "eko",
  summary: "An agent's one-time AePS Fingpay eKYC, up to what its biometric step takes",
  input: z.strictObject({
    customer_id: customerId,
    aadhaar: aadhaar.optional(),
    aadhaar_encrypted: aadhaarEncrypted.optional(),
    latlong,
    consent: optionalConsent,
    ...agent,
  }),
  example: { customer_id: "9123456789", aadhaar: "999999990019", latlong: "28.6139,77.2090" },
  exactlyOne: ["aadhaar", "aadhaar_encrypted"],
  subject: ["aadhaar", "customer_id"],
  first: "send",
  steps: {
    send: {
      operation: "eko.aeps-fingpay.ekyc-otp",
      next: [{ when: { otp_sent: true }, go: "verify" }, { go: END }],
    },
    verify: { operation: "eko.aeps-fingpay.ekyc-otp.verify", code: "of", next: [{ go: END }] },
  },
});
