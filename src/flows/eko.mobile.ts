import { z } from "zod";
import { cspId, initiator, mobile } from "../operations/fields.ts";
import { END, flow } from "./flow.ts";

export const ekoMobile = flow({
  name: "eko.mobile",
  provider: "eko",
  summary: "Verify a mobile number by an OTP",
  input: z.strictObject({ mobile, csp_id: cspId, ...initiator }),
  example: { mobile: "9002336768", csp_id: "9002336768" },
  subject: ["mobile"],
  first: "send",
  steps: {
    send: { operation: "eko.mobile-otp", next: [{ go: "verify" }] },
    verify: { operation: "eko.mobile-otp.verify", code: "of", next: [{ go: END }] },
  },
});
