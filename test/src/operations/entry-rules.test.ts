import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findOperation, OPERATIONS } from "../../../src/operations/catalogue.ts";
import { parseInput } from "../../../src/operations/entry-rules.ts";
import { InputError } from "../../../src/operations/input-error.ts";
import { RULES, exampleOf, input, NOW, refusal } from "./bundle.ts";

const DEEPVUE = "deepvue.aadhaar-otp";
const LEVIN = "eko.dmt-levin.aadhaar-otp";
const LEVIN_VERIFY = "eko.dmt-levin.aadhaar-otp.verify";
const AEPS = "eko.aeps-fingpay.ekyc-otp";
const AEPS_VERIFY = "eko.aeps-fingpay.ekyc-otp.verify";

describe("parseInput", () => {
  it("says everything that is wrong at once, in one line and field by field", () => {
    const error = refusal(DEEPVUE, { aadhaar: "12", consent: { reference: "r" } });
    expect(error.code).toBe("bad-input");
    expect(error.message).toBe(
      "aadhaar: must be an Aadhaar number: 12 digits without spaces, the first 2 to 9; purpose: is missing; " +
        "consent.method: is missing; consent.obtained_at: is missing",
    );
    expect(error.fields.map(({ field }) => field)).toEqual([
      "aadhaar",
      "purpose",
      "consent.method",
      "consent.obtained_at",
    ]);
  });

  it.each([null, undefined, 5, "{}", [], [{}]])("refuses %j as an input", (raw) => {
    expect(refusal(DEEPVUE, raw).message).toBe("the input must be a JSON object");
  });

  it("checks the last digit of an Aadhaar number, unless told otherwise", () => {
    const raw = { ...exampleOf(DEEPVUE), aadhaar: "655675523712" };
    expect(refusal(DEEPVUE, raw).message).toBe(
      "aadhaar: is no Aadhaar number: its last digit, the checksum, does not fit",
    );
    expect(() => parseInput(findOperation(DEEPVUE), raw, { ...RULES, aadhaarChecksum: false })).not.toThrow();
  });

  it("takes consent up to a minute ahead of its clock, and no later one", () => {
    const at = (ms: number): Record<string, unknown> => ({
      ...exampleOf(DEEPVUE),
      consent: { reference: "r", method: "ivr", obtained_at: new Date(ms).toISOString() },
    });
    expect(() => parseInput(findOperation(DEEPVUE), at(NOW + 60_000), RULES)).not.toThrow();
    expect(refusal(DEEPVUE, at(NOW + 60_001)).message).toBe("consent.obtained_at: must not be in the future");
  });

  it("wants exactly one of `aadhaar` and `aadhaar_encrypted`", () => {
    const { aadhaar, ...rest } = exampleOf(AEPS);
    expect(refusal(AEPS, rest).message).toBe("aadhaar: is missing: give `aadhaar` or `aadhaar_encrypted`");
    expect(refusal(AEPS, { ...rest, aadhaar, aadhaar_encrypted: "A".repeat(172) }).message).toBe(
      "aadhaar: give only one of `aadhaar` or `aadhaar_encrypted`",
    );
    expect(refusal(AEPS_VERIFY, { of: "j", otp: "123456", aadhaar, aadhaar_encrypted: "A".repeat(172) }).message).toBe(
      "aadhaar: give only one of `aadhaar` or `aadhaar_encrypted`",
    );
  });

  it("refuses the number of a person in a field that is kept in clear", () => {
    const consent = { reference: "of 9999-9999 0019", method: "ivr", obtained_at: "2026-01-31T10:00:00Z" };
    expect(refusal(DEEPVUE, { ...exampleOf(DEEPVUE), consent }).message).toBe(
      "consent.reference: must not hold the value of `aadhaar`: it is kept in clear",
    );
    expect(refusal(LEVIN, { ...exampleOf(LEVIN), user_code: "9876543210" }).message).toBe(
      "user_code: must not hold the value of `customer_id`: it is kept in clear",
    );
    expect(refusal(LEVIN, { ...exampleOf(LEVIN), initiator_id: "999999990019" }).message).toBe(
      "initiator_id: must not hold the value of `aadhaar`: it is kept in clear",
    );
    expect(input(LEVIN, { initiator_id: "9876543210" })).toMatchObject({ initiator_id: "9876543210" });
  });

  it.each([
    ["client_ref_id", "client_ref_id: cannot be given: it is made anew for each attempt"],
    ["aadhar", "aadhar: unknown field: it is `aadhaar` here"],
    ["aadhaar_number", "aadhaar_number: unknown field: it is `aadhaar` here"],
    ["otpRefId", "otpRefId: unknown field: it is `otp_ref_id` here"],
    ["of", "of: unknown field: only a verify takes the job of its send"],
    [
      "wallet",
      "wallet: unknown field: there are customer_id, aadhaar, otp_ref_id, additional_info, consent, initiator_id, user_code",
    ],
    ["constructor", "constructor: unknown field: there are customer_id"],
  ])("refuses the field %s and names it", (field, message) => {
    expect(refusal(LEVIN, { ...exampleOf(LEVIN), [field]: "x" }).message).toContain(message);
  });

  it.each(["999999990019", "Asha Example", "Asha", "asha999999990019", "आशा"])(
    "does not repeat a field name that may be a value: %s",
    (name) => {
      const { message, fields } = refusal(DEEPVUE, { purpose: "KYC", [name]: "x" });
      expect(message).not.toContain(name);
      expect(fields.map(({ field }) => field)).toContain("(field 2)");
    },
  );

  it("tells a verify without `of` and without references of both ways", () => {
    expect(refusal(LEVIN_VERIFY, { otp: "123456" }).fields).toEqual([
      {
        field: "of",
        message:
          "is missing: give the id of the `eko.dmt-levin.aadhaar-otp` job that sent the OTP, or what that job would " +
          "supply: customer_id, otp_ref_id",
      },
    ]);
    expect(refusal(AEPS_VERIFY, {}).message).toContain(
      "customer_id, otp_ref_id, reference_tid, latlong, aadhaar or aadhaar_encrypted; otp: is missing",
    );
  });

  it("tells a verify with some of its references of those that are missing", () => {
    expect(refusal(LEVIN_VERIFY, { otp: "123456", customer_id: "9876543210" }).message).toBe(
      "otp_ref_id: is missing, or give `of`, the id of the `eko.dmt-levin.aadhaar-otp` job",
    );
  });

  it("accepts a verify with `of`, and still checks what is given beside it", () => {
    const parsed = parseInput(findOperation(LEVIN_VERIFY), { of: "job-1", otp: "012345" }, RULES);
    expect(Object.keys(parsed).toSorted()).toEqual(["additional_info", "intent_id", "of", "otp"]);
    expect(parseInput(findOperation(AEPS_VERIFY), { of: "job-1", otp: "012345" }, RULES)).toHaveProperty("of", "job-1");
    const { fields } = refusal(LEVIN_VERIFY, { of: "job-1", otp_ref_id: "" });
    expect(fields).toContainEqual({ field: "otp_ref_id", message: "must not be blank or hold control characters" });
    expect(fields).toContainEqual({ field: "otp", message: "is missing" });
    expect(refusal(LEVIN_VERIFY, { of: "", otp: "012345" }).message).toBe("of: must be the id of a job");
  });

  it("either parses any JSON or throws an InputError that repeats no text of it", () => {
    const value = fc.oneof(fc.string({ minLength: 12 }), fc.jsonValue(), fc.constant("999999990019"));
    for (const operation of OPERATIONS) {
      const fields = [...Object.keys(operation.input.shape), "of", "client_ref_id", "__proto__"];
      const raw = fc.oneof(fc.jsonValue(), fc.dictionary(fc.oneof(fc.constantFrom(...fields), fc.string()), value));
      fc.assert(
        fc.property(raw, (given) => {
          try {
            parseInput(operation, given, RULES);
          } catch (error) {
            if (!(error instanceof InputError)) throw error;
            expect(error.message).not.toContain("999999990019");
            for (const text of textsOf(given)) expect(error.message).not.toContain(text);
          }
        }),
      );
    }
  });
});

/** The longer texts in a value: short ones may be words of any message. */
function textsOf(value: unknown): string[] {
  if (typeof value === "string") return value.length >= 12 ? [value] : [];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsOf) : [];
}
