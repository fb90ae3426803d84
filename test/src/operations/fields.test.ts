import { describe, expect, it } from "vitest";
import type { OperationName } from "../../../src/operations/catalogue.ts";
import { Secret } from "../../../src/secrets/secret.ts";
import { exampleOf, input, refusal } from "./bundle.ts";

const LEVIN = "eko.dmt-levin.aadhaar-otp";
const LEVIN_VERIFY = "eko.dmt-levin.aadhaar-otp.verify";
const AEPS = "eko.aeps-fingpay.ekyc-otp";
const AEPS_VERIFY = "eko.aeps-fingpay.ekyc-otp.verify";
const CREATE = "eko.dmt-levin.sender.create";
const DEEPVUE = "deepvue.aadhaar-otp";
const DEEPVUE_VERIFY = "deepvue.aadhaar-otp.verify";

const CONSENT = { reference: "c-1", method: "checkbox", obtained_at: "2026-01-31T10:00:00+05:30" };

const ACCEPTED: [OperationName, string, unknown][] = [
  [LEVIN, "customer_id", "6000000000"],
  [LEVIN, "aadhaar", "234123412346"],
  [LEVIN, "otp_ref_id", "af39bb86-6e3d-49e7-bfc1-b7c0cc5ef817"],
  [LEVIN, "otp_ref_id", "9876543210~9876543210~Channel4~1~2"],
  [LEVIN, "otp_ref_id", "x".repeat(1024)],
  [LEVIN, "additional_info", "0"],
  [LEVIN, "user_code", "32450001"],
  [LEVIN, "user_code", "32111500101"],
  [LEVIN, "initiator_id", "9962981729"],
  [LEVIN_VERIFY, "otp", "012345"],
  ["eko.mobile-otp.verify", "otp", "00000000"],
  [LEVIN_VERIFY, "intent_id", "19"],
  [AEPS, "latlong", "26.8863786,75.7393589"],
  [AEPS, "latlong", "-8,-180"],
  ["eko.mobile-otp", "csp_id", "CSP-1"],
  ["eko.mobile-otp.verify", "client_ref_id", "REQ-20260101-001"],
  [CREATE, "name", "Asha Example"],
  [CREATE, "name", "आशा उदाहरण"],
  [CREATE, "dob", "2000-02-29"],
  [CREATE, "residence_address", "1 Example Road"],
  [CREATE, "residence_address", ["1 Example Road", "Bengaluru"]],
  [DEEPVUE, "purpose", "For KYC of 2026"],
  [DEEPVUE, "consent", { ...CONSENT, obtained_at: "2026-01-31T10:00:00Z" }],
  [DEEPVUE_VERIFY, "mobile_number", "9876543210"],
  [DEEPVUE_VERIFY, "generate_pdf", true],
  [DEEPVUE_VERIFY, "generate_pdf", "false"],
];

const REFUSED: [OperationName, string, unknown, string][] = [
  [LEVIN, "customer_id", "5876543210", "must be a mobile number: 10 digits, the first 6 to 9, no country code"],
  [LEVIN, "customer_id", "919876543210", "must be a mobile number: 10 digits, the first 6 to 9, no country code"],
  [LEVIN, "customer_id", 9_876_543_210, ", as text in quotes"],
  [LEVIN, "customer_id", null, "must be a mobile number"],
  [LEVIN, "aadhaar", "123412341234", "must be an Aadhaar number: 12 digits without spaces, the first 2 to 9"],
  [LEVIN, "aadhaar", "9999 9999 0019", "must be an Aadhaar number"],
  [LEVIN, "aadhaar", "999999990019\n", "must be an Aadhaar number"],
  [LEVIN, "aadhaar", "९९९९९९९९००१९", "holds U+096F, a digit of another script: write it with 0 to 9"],
  [LEVIN, "otp_ref_id", "", "must not be blank"],
  [LEVIN, "otp_ref_id", "  ", "must not be blank"],
  [LEVIN, "otp_ref_id", "a\u0000b", "control characters"],
  [LEVIN, "otp_ref_id", 73_849_201, "must be text in quotes: as a number it could lose digits"],
  [LEVIN, "otp_ref_id", "x".repeat(1025), "at most 1024 characters"],
  [LEVIN, "additional_info", 1, "as text in quotes"],
  [LEVIN, "additional_info", "9876543211", "must not hold a mobile or Aadhaar number: it is kept in clear"],
  [LEVIN_VERIFY, "additional_info", "a234123412346", "must not hold a mobile or Aadhaar number: it is kept in clear"],
  [LEVIN, "user_code", "2081020", "must be 8 to 11 letters and digits"],
  [LEVIN, "user_code", "208102000000", "must be 8 to 11 letters and digits"],
  [LEVIN, "initiator_id", "", "must be 4 to 32"],
  [LEVIN_VERIFY, "otp", 123_456, "must be text in quotes: as a number it would lose leading zeros"],
  [LEVIN_VERIFY, "otp", "12345", "must be exactly 6 digits (a spreadsheet eats leading zeros"],
  [AEPS_VERIFY, "otp", "1234567", "must be exactly 6 digits"],
  [DEEPVUE_VERIFY, "otp", "0123", "must be exactly 6 digits"],
  ["eko.mobile-otp.verify", "otp", "123", "must be 4 to 8 digits"],
  ["eko.mobile-otp.verify", "otp", "123456789", "must be 4 to 8 digits"],
  ["eko.mobile-otp.verify", "otp", "12 345", "must be 4 to 8 digits"],
  [LEVIN_VERIFY, "intent_id", "21", 'must be "19" (sender onboarding) or "20" (Aadhaar validation)'],
  [LEVIN_VERIFY, "intent_id", 20, 'must be "19"'],
  [AEPS, "latlong", "28.6139, 77.2090", "in degrees without spaces"],
  [AEPS, "latlong", "27.176670,78.008075,7787", "in degrees without spaces"],
  [AEPS, "latlong", "91,0", "a latitude within ±90"],
  [AEPS, "latlong", "0,181", "a longitude within ±180"],
  [AEPS, "latlong", `28.${"6".repeat(100)},77`, "at most 64 characters"],
  ["eko.mobile-otp", "csp_id", "a b", "must be 1 to 32"],
  ["eko.mobile-otp.verify", "client_ref_id", "x".repeat(21), "must be 1 to 20 letters, digits"],
  [CREATE, "name", " \t ", "must not be blank"],
  [CREATE, "name", "x".repeat(101), "at most 100 characters"],
  [CREATE, "dob", "31-01-1990", "must be a date as YYYY-MM-DD"],
  [CREATE, "dob", "1990-02-30", "must be a date as YYYY-MM-DD"],
  [CREATE, "residence_address", [], "must be text, a list of lines, or an object"],
  [CREATE, "residence_address", [1], "must be text, a list of lines, or an object"],
  [CREATE, "residence_address", {}, "must be text, a list of lines, or an object"],
  [CREATE, "residence_address", "x".repeat(1001), "must be text, a list of lines, or an object"],
  [CREATE, "residence_address", ["x".repeat(201)], "must be text, a list of lines, or an object"],
  [CREATE, "residence_address", { "999999990019": "x" }, "must be text, a list of lines, or an object"],
  [CREATE, "residence_address", { line: { deep: "er" } }, "must be text, a list of lines, or an object"],
  [DEEPVUE, "purpose", "", "must not be blank"],
  [DEEPVUE, "purpose", "KYC of 9999 9999 0019", "must not hold a mobile or Aadhaar number: it is kept in clear"],
  [DEEPVUE, "purpose", "call 98765-43210", "must not hold a mobile or Aadhaar number"],
  [DEEPVUE, "purpose", "call ९८७६५४३२१०", "must not hold a mobile or Aadhaar number"],
  [DEEPVUE, "consent", "Y", "must be an object with reference, method and obtained_at"],
  [DEEPVUE_VERIFY, "mobile_number", "1", "must be a mobile number"],
  [DEEPVUE_VERIFY, "generate_pdf", "yes", "must be true or false"],
];

describe("the fields", () => {
  it.each(ACCEPTED)("of %s accept %s %j", (name, field, value) => {
    expect(input(name, { [field]: value })).toHaveProperty([field]);
  });

  it.each(REFUSED)("of %s refuse %s %j with what is expected, and without the value", (name, field, value, message) => {
    const { fields } = refusal(name, { ...exampleOf(name), [field]: value });
    expect(fields.map((problem) => problem.field)).toEqual(fields.map(() => field));
    const said = fields.map((problem) => problem.message).join("; ");
    expect(said).toContain(message);
    if (String(value).trim().length > 3) expect(said).not.toContain(String(value));
  });

  it("name what is wrong inside consent", () => {
    const consent = { reference: "", method: 5, obtained_at: "yesterday", given_by: "x" };
    expect(refusal(DEEPVUE, { ...exampleOf(DEEPVUE), consent }).fields).toEqual([
      { field: "consent.reference", message: "must not be blank or hold control characters" },
      { field: "consent.method", message: "must be text" },
      {
        field: "consent.obtained_at",
        message: "must be an ISO date-time with an offset, such as 2026-01-31T10:00:00+05:30",
      },
      {
        field: "consent.given_by",
        message: "unknown field: there are reference, method, obtained_at, language",
        unknown: true,
      },
    ]);
  });

  it("refuse a consent time without an offset", () => {
    const consent = { ...CONSENT, obtained_at: "2026-01-31T10:00:00" };
    expect(refusal(DEEPVUE, { ...exampleOf(DEEPVUE), consent }).message).toContain("with an offset");
  });

  it("accept an encrypted Aadhaar number in base64 and nothing that could be one in clear", () => {
    const { aadhaar: _, ...rest } = exampleOf(AEPS);
    const accepts = (aadhaar_encrypted: unknown): boolean => {
      try {
        refusal(AEPS, { ...rest, aadhaar_encrypted });
        return false;
      } catch {
        return true;
      }
    };
    expect(accepts("A".repeat(172))).toBe(true);
    expect(accepts(`${"A".repeat(170)}==`)).toBe(true);
    expect(accepts("A".repeat(171))).toBe(false);
    expect(accepts("A".repeat(170))).toBe(false);
    expect(accepts("999999990019")).toBe(false);
    expect(accepts(`${"A".repeat(171)}-`)).toBe(false);
  });

  it("fill in what the documents default", () => {
    expect(input(LEVIN_VERIFY)).toMatchObject({ intent_id: "20", additional_info: "1" });
  });

  it("make everything about a person a Secret", () => {
    const sealed = (name: OperationName): string[] =>
      Object.entries(input(name)).flatMap(([field, value]) => (value instanceof Secret ? [field] : []));
    expect(sealed(CREATE)).toEqual(["customer_id", "name", "dob", "residence_address"]);
    expect(sealed(DEEPVUE)).toEqual(["aadhaar"]);
    expect(sealed(DEEPVUE_VERIFY)).toEqual(["otp", "reference_id"]);
    expect(sealed("eko.mobile-otp.verify")).toEqual(["mobile", "otp"]);
    expect(JSON.stringify(input(LEVIN))).toBe(
      '{"customer_id":"XXXXXX3210","aadhaar":"XXXX XXXX 0019","otp_ref_id":"********","additional_info":"1"}',
    );
  });
});
