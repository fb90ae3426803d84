import { describe, expect, it } from "vitest";
import { findOperation } from "../../../src/operations/catalogue.ts";
import { parseInput } from "../../../src/operations/entry-rules.ts";
import { resolveOf, type SentJob } from "../../../src/operations/resolve-of.ts";
import { RULES, input } from "./bundle.ts";

const ENCRYPTED = "A".repeat(172);

const aeps = (changes: Partial<SentJob> = {}): SentJob => ({
  input: input("eko.aeps-fingpay.ekyc-otp", { user_code: "32450001" }),
  result: { otp_ref_id: "2465238", reference_tid: "EKYKF1I", otp_sent: true },
  clientRefId: "ref-of-the-send",
  ...changes,
});

describe("resolveOf", () => {
  it("takes the customer, the references and the agent of the send's job", () => {
    const operation = findOperation("eko.aeps-fingpay.ekyc-otp.verify");
    const complete = resolveOf(operation, { of: "job-1", otp: "123456" }, aeps());
    expect(complete).toEqual({
      otp: "123456",
      customer_id: "9123456789",
      aadhaar: "999999990019",
      latlong: "28.6139,77.2090",
      user_code: "32450001",
      otp_ref_id: "2465238",
      reference_tid: "EKYKF1I",
    });
    expect(() => parseInput(operation, complete, RULES)).not.toThrow();
  });

  it("lets the caller's own fields win, and one Aadhaar field replace the other", () => {
    const operation = findOperation("eko.aeps-fingpay.ekyc-otp.verify");
    const given = { of: "job-1", otp: "123456", aadhaar_encrypted: ENCRYPTED, otp_ref_id: "mine" };
    const complete = resolveOf(operation, given, aeps());
    expect(complete).toMatchObject({ aadhaar_encrypted: ENCRYPTED, otp_ref_id: "mine", reference_tid: "EKYKF1I" });
    expect(complete).not.toHaveProperty("aadhaar");
    expect(complete).not.toHaveProperty("of");
  });

  it("uses the client_ref_id of the send for a mobile verify", () => {
    const operation = findOperation("eko.mobile-otp.verify");
    const sent = {
      input: input("eko.mobile-otp"),
      result: { client_ref_id: "an-echo" },
      clientRefId: "ref-of-the-send",
    };
    expect(resolveOf(operation, { of: "job-1", otp: "3643" }, sent)).toEqual({
      otp: "3643",
      mobile: "9002336768",
      client_ref_id: "ref-of-the-send",
    });
  });

  it("uses purpose and consent of a Deepvue send", () => {
    const operation = findOperation("deepvue.aadhaar-otp.verify");
    const sent = { input: input("deepvue.aadhaar-otp"), result: { reference_id: "29756208" }, clientRefId: "r" };
    const complete = resolveOf(operation, { of: "job-1", otp: "123456" }, sent);
    expect(parseInput(operation, complete, RULES)).toMatchObject({
      purpose: "ForKYC",
      consent: { reference: "consent-2026-0001" },
    });
  });

  it("names what the send's job does not have", () => {
    const operation = findOperation("eko.aeps-fingpay.ekyc-otp.verify");
    const sent = aeps({ result: { otp_ref_id: "", reference_tid: null } });
    expect(() => resolveOf(operation, { of: "job-1", otp: "123456" }, sent)).toThrow(
      expect.objectContaining({
        code: "bad-input",
        message:
          "otp_ref_id: is missing, and the `eko.aeps-fingpay.ekyc-otp` job named in `of` has none: give it; " +
          "reference_tid: is missing, and the `eko.aeps-fingpay.ekyc-otp` job named in `of` has none: give it",
      }),
    );
  });
});
