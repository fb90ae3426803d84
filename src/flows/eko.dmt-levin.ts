import { z } from "zod";
import { residenceAddress } from "../operations/address.ts";
import { aadhaar, additionalInfo, agent, customerId, dob, name, optionalConsent } from "../operations/fields.ts";
import { END, flow, type Rule } from "./flow.ts";

/** What the sender still lacks, as the provider says it (facts/eko §4.1). */
const WHAT_IT_LACKS: readonly Rule[] = [
  { when: { next_step: "otp" }, go: "sender-otp" },
  { when: { next_step: "verify" }, go: "sender-otp" },
  { when: { next_step: "aadhaar" }, go: "aadhaar" },
];

export const ekoDmtLevin = flow({
  name: "eko.dmt-levin",
  provider: "eko",
  summary: "Onboard a DMT-Levin sender: look up, create if unknown, and verify the OTPs that it asks for",
  input: z.strictObject({
    customer_id: customerId,
    aadhaar,
    name,
    dob,
    residence_address: residenceAddress,
    additional_info: additionalInfo,
    consent: optionalConsent,
    ...agent,
  }),
  example: {
    customer_id: "9876543210",
    aadhaar: "999999990019",
    name: "Asha Example",
    dob: "1990-01-31",
    residence_address: "1 Example Road, Bengaluru 560001",
  },
  subject: ["aadhaar"],
  first: "sender",
  steps: {
    sender: {
      operation: "eko.dmt-levin.sender",
      next: [{ when: { next_step: "create" }, go: "create" }, ...WHAT_IT_LACKS, { go: END }],
    },
    create: {
      operation: "eko.dmt-levin.sender.create",
      // The published reply has no `otp_ref_id`: then the look-up gives it.
      next: [{ when: { next_step: "aadhaar", otp_ref_id: null }, go: "sender-again" }, ...WHAT_IT_LACKS, { go: END }],
    },
    "sender-again": { operation: "eko.dmt-levin.sender", next: [...WHAT_IT_LACKS, { go: END }] },
    "sender-otp": {
      operation: "eko.dmt-levin.aadhaar-otp.verify",
      code: "newest",
      newest: ["otp_ref_id"],
      fixed: { intent_id: "19" },
      next: [{ when: { next_step: "aadhaar" }, go: "aadhaar" }, { go: END }],
    },
    aadhaar: {
      operation: "eko.dmt-levin.aadhaar-otp",
      newest: ["otp_ref_id"],
      next: [{ when: { otp_sent: true }, go: "verify" }, { go: END }],
    },
    verify: {
      operation: "eko.dmt-levin.aadhaar-otp.verify",
      code: "of",
      fixed: { intent_id: "20" },
      next: [{ go: END }],
    },
  },
});
