import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isAadhaarNumber, madeUpAadhaar, madeUpMobile, verhoeffDigit } from "../../simulator/people.ts";

describe("isAadhaarNumber", () => {
  it.each(["999999990019", "234123412346", "999941057058", "999999990026"])("accepts %s", (number) => {
    expect(isAadhaarNumber(number)).toBe(true);
  });

  it.each([
    ["a vendor's sandbox number", "655675523712"],
    ["the documents' sample", "123456789012"],
    ["a first digit of 1", "134123412346"],
    ["eleven digits", "23412341234"],
    ["letters", "23412341234X"],
  ])("refuses %s", (_, number) => {
    expect(isAadhaarNumber(number)).toBe(false);
  });

  it("notices every wrong digit and every swap of neighbours", () => {
    const place = fc.nat({ max: 11 });
    fc.assert(
      fc.property(fc.nat({ max: 79_999_999 }), place, fc.nat({ max: 9 }), (index, at, digit) => {
        const number = madeUpAadhaar(index);
        const changed = number.slice(0, at) + String(digit) + number.slice(at + 1);
        const swapped = number.slice(0, at) + (number[at + 1] ?? "") + (number[at] ?? "") + number.slice(at + 2);
        expect(changed === number || !isAadhaarNumber(changed)).toBe(true);
        expect(swapped === number || !isAadhaarNumber(swapped)).toBe(true);
      }),
    );
  });
});

describe("verhoeffDigit", () => {
  it("completes the published examples", () => {
    expect(verhoeffDigit("23412341234")).toBe("6");
    expect(verhoeffDigit("236")).toBe("3");
  });

  it("refuses what is not digits", () => {
    expect(() => verhoeffDigit("12a")).toThrow(RangeError);
  });
});

describe("madeUpAadhaar", () => {
  it("makes valid numbers with any ending of one to six digits", () => {
    const ending = fc.stringMatching(/^\d{1,6}$/);
    fc.assert(
      fc.property(fc.nat({ max: 79_999 }), ending, (index, digits) => {
        const number = madeUpAadhaar(index, digits);
        expect(number).toMatch(/^[2-9]\d{11}$/);
        expect(number.endsWith(digits)).toBe(true);
        expect(isAadhaarNumber(number)).toBe(true);
      }),
    );
  });

  it("never makes one number twice", () => {
    expect(new Set(Array.from({ length: 80_000 }, (_, index) => madeUpAadhaar(index, "000000"))).size).toBe(80_000);
  });

  it.each([
    [-1, "000"],
    [0.5, "000"],
    [80_000_000, "000"],
    [0, ""],
    [0, "1234567"],
    [0, "a"],
  ])("refuses index %s with the ending %j", (index, ending) => {
    expect(() => madeUpAadhaar(index, ending)).toThrow(RangeError);
  });
});

describe("madeUpMobile", () => {
  it("makes ten digits that begin with 6 to 9", () => {
    fc.assert(
      fc.property(fc.nat({ max: 3_999_999 }), (index) => {
        expect(madeUpMobile(index, "210")).toMatch(/^[6-9]\d{6}210$/);
      }),
    );
  });

  it("never makes one number twice", () => {
    expect(new Set(Array.from({ length: 4_000 }, (_, index) => madeUpMobile(index, "000000"))).size).toBe(4_000);
  });
});
