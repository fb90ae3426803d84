import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isVerhoeffValid } from "../../../src/secrets/verhoeff.ts";

const VALID = ["234123412346", "999999990019", "999999990026", "999941057058"];

describe("isVerhoeffValid", () => {
  it.each([...VALID, "2363"])("accepts %s", (digits) => {
    expect(isVerhoeffValid(digits)).toBe(true);
  });

  // Test numbers of providers (facts/deepvue §5.2), and what is no number.
  it.each(["655675523712", "123456789012", "123452001008", "", "x", "２３６３", "236３"])("refuses %j", (digits) => {
    expect(isVerhoeffValid(digits)).toBe(false);
  });

  it("notices every wrong digit", () => {
    const place = fc.nat(11);
    fc.assert(
      fc.property(fc.constantFrom(...VALID), place, fc.integer({ min: 1, max: 9 }), (number, at, by) => {
        const wrong = (Number(number[at]) + by) % 10;
        return !isVerhoeffValid(`${number.slice(0, at)}${wrong}${number.slice(at + 1)}`);
      }),
    );
  });

  it("notices two neighbours that changed places", () => {
    fc.assert(
      fc.property(fc.constantFrom(...VALID), fc.nat(10), (number, at) => {
        const swapped = `${number.slice(0, at)}${number[at + 1]}${number[at]}${number.slice(at + 2)}`;
        return swapped === number || !isVerhoeffValid(swapped);
      }),
    );
  });
});
