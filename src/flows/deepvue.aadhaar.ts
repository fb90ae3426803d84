import { z } from "zod";
import { aadhaar, consent, ekycWishes, purpose } from "../operations/fields.ts";
import { END, flow } from "./flow.ts";

export const deepvueAadhaar = flow({
  name: "deepvue.aadhaar",
  provider: "deepvue",
  summary: "Verify a person by an Aadhaar OTP and fetch the eKYC data",
  input: z.strictObject({
    aadhaar,
    purpose,
    consent,
    ...ekycWishes,
  }),
  example: {
    aadhaar: "999999990019",
    purpose: "ForKYC",
    consent: { reference: "consent-2026-0001", method: "checkbox", obtained_at: "2026-01-31T10:00:00+05:30" },
  },
  subject: ["aadhaar"],
  first: "send",
  steps: {
    send: { operation: "deepvue.aadhaar-otp", next: [{ go: "verify" }] },
    verify: { operation: "deepvue.aadhaar-otp.verify", code: "of", next: [{ go: END }] },
  },
});
