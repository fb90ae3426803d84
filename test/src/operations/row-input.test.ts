import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inputOfRow, nestDotted } from "../../../src/operations/row-input.ts";

describe("inputOfRow", () => {
  it("nests dotted columns, trims cells and leaves out empty ones", () => {
    const row = {
      aadhaar: " 999999990019 ",
      purpose: "ForKYC",
      "consent.reference": "c-1",
      "consent.method": "ivr",
      user_code: "  ",
      otp: "0123",
    };
    expect(inputOfRow(row)).toEqual({
      aadhaar: "999999990019",
      purpose: "ForKYC",
      consent: { reference: "c-1", method: "ivr" },
      otp: "0123",
    });
  });

  it("does not see an object whose columns are all empty", () => {
    expect(inputOfRow({ otp: "0123", "consent.reference": "" })).toEqual({ otp: "0123" });
  });
});

describe("nestDotted", () => {
  it("refuses a field that is given both whole and in parts, in either order", () => {
    const message = "consent: is given both whole and in parts";
    expect(() => nestDotted({ consent: "Y", "consent.method": "ivr" })).toThrow(message);
    expect(() => nestDotted({ "consent.method": "ivr", consent: "Y" })).toThrow(message);
    expect(() => nestDotted({ "999999990019": "Y", "999999990019.x": "ivr" })).toThrow(/^\(a column\): /);
  });

  it("never touches a prototype, whatever the columns are called", () => {
    const name = fc.constantFrom("__proto__", "constructor", "prototype", "consent", "a", "toString");
    const column = fc.oneof(
      name,
      fc.tuple(name, name).map(([field, part]) => `${field}.${part}`),
    );
    fc.assert(
      fc.property(fc.array(column), (columns) => {
        try {
          nestDotted(Object.fromEntries(columns.map((key) => [key, "polluted"])));
        } catch (error) {
          expect(String(error)).toContain("both whole and in parts");
        }
        expect(Object.keys(Object.prototype)).toEqual([]);
        expect(({} as Record<string, unknown>)["a"]).toBeUndefined();
      }),
    );
  });
});
