import { describe, expect, it } from "vitest";
import { ENDINGS } from "../../simulator/endings.ts";
import { formatEndings } from "../../simulator/format-endings.ts";
import { isAadhaarNumber, madeUpAadhaar } from "../../simulator/people.ts";

describe("the table of endings", () => {
  it("has each ending once, of three digits", () => {
    const digits = ENDINGS.map((ending) => ending.digits);
    expect(new Set(digits).size).toBe(digits.length);
    expect(digits.every((ending) => /^\d{3}$/.test(ending))).toBe(true);
  });

  it.each(["000", "019", "026", "346", "058", "012", "210", "789", "768", "729", "111"])(
    "leaves %s alone: a number of the documents or of our fixtures ends so",
    (digits) => {
      expect(ENDINGS.find((ending) => ending.digits === digits)).toBeUndefined();
    },
  );

  it("can be reached by a valid Aadhaar number for every ending", () => {
    for (const { digits } of ENDINGS) expect(isAadhaarNumber(madeUpAadhaar(3, digits))).toBe(true);
  });

  it("fits into a terminal of 120 columns", () => {
    const lines = formatEndings().split("\n");
    expect(lines).toHaveLength(ENDINGS.length + 1);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(120);
  });
});
