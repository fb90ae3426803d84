import { describe, expect, it } from "vitest";
import { cleanCell, spreadsheetTrace } from "../../../src/operations/spreadsheet-trace.ts";
import { exampleOf, refusal } from "./bundle.ts";

const LEVIN = "eko.dmt-levin.aadhaar-otp";
const CREATE = "eko.dmt-levin.sender.create";
const SHORTENED = "a spreadsheet shortened this number: format the column as text and export again";
const DECIMALS = "a spreadsheet added decimals to this number: format the column as text and export again";

describe("what a spreadsheet left in a value", () => {
  it.each([
    ["9.12346E+09", SHORTENED],
    ["9,12346E+09", SHORTENED],
    ["9.12346e9", SHORTENED],
    ["2E+11", SHORTENED],
    ["411001.0", DECIMALS],
    ["73849201.00", DECIMALS],
    ["91234\u200B56780", "holds U+200B, a character that is not seen: remove it, or type the value anew"],
    ["Asha\u202EKumari", "holds U+202E, a character that is not seen: remove it, or type the value anew"],
    ["1234\u200D5", "holds U+200D, a character that is not seen: remove it, or type the value anew"],
    ["91234\uFEFF5", "holds U+FEFF, a character that is not seen: remove it, or type the value anew"],
    ["\uFF19123456780", "holds U+FF19, a digit of another script: write it with 0 to 9"],
    ["\u0967234", "holds U+0967, a digit of another script: write it with 0 to 9"],
    ["91234\u00A056780", "holds U+00A0, a blank of a special kind: remove it"],
  ])("is named: %j", (value, message) => {
    expect(spreadsheetTrace(value)).toBe(message);
  });

  it.each(["9123456780", "28.6139,77.2090", "91,0", "1E5", "Asha Kumari", "\u0915\u094D\u200D\u0937 \u0967", "v2.0"])(
    "is nothing in %j",
    (value) => {
      expect(spreadsheetTrace(value)).toBeNull();
    },
  );

  it("is taken off around a value, and blanks between words are ordinary ones", () => {
    expect(cleanCell("\u00A0\u200B Asha\u00A0Kumari \u202C")).toBe("Asha Kumari");
    expect([cleanCell("'0123"), cleanCell("'tis")]).toEqual(["0123", "'tis"]);
  });

  it("is said instead of what else the field wants, also where the field takes anything, and inside an address", () => {
    expect(refusal(LEVIN, { ...exampleOf(LEVIN), customer_id: "9.12346E+09" }).message).toBe(
      `customer_id: ${SHORTENED}`,
    );
    expect(refusal(LEVIN, { ...exampleOf(LEVIN), otp_ref_id: "7.38492E+07" }).message).toBe(`otp_ref_id: ${SHORTENED}`);
    const residence_address = { line: "1 Example Road", pincode: "411001.0" };
    expect(refusal(CREATE, { ...exampleOf(CREATE), residence_address }).message).toBe(`residence_address: ${DECIMALS}`);
  });
});

describe("a date of birth", () => {
  it("must not be in the future", () => {
    expect(refusal(CREATE, { ...exampleOf(CREATE), dob: "2999-01-31" }).message).toBe("dob: must not be in the future");
  });
});
