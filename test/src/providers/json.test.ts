import { describe, expect, it } from "vitest";
import { codeOf, parseJsonObject } from "../../../src/providers/json.ts";

describe("parseJsonObject", () => {
  it.each([null, "", "null", "5", '"x"', "[]", "[{}]", "{", "<html>", "\u0000"])("finds no object in %j", (text) => {
    expect(parseJsonObject(text)).toBeNull();
  });

  it("keeps every digit of a whole number, and other numbers as they are", () => {
    const text =
      '{"id":12345678901234567890,"huge":1e400,"safe":9007199254740991,"half":0.5,"list":[-12345678901234567890]}';
    expect(parseJsonObject(text)).toEqual({
      id: "12345678901234567890",
      huge: Infinity,
      safe: 9_007_199_254_740_991,
      half: 0.5,
      list: ["-12345678901234567890"],
    });
  });

  it.each([16, 17, 20, 40])("keeps %i digits wherever in the text they stand", (digits) => {
    const number = "9".repeat(digits);
    for (let before = 0; before < 40; before++) {
      const text = `{${" ".repeat(before)}"id":${number}}`;
      expect(parseJsonObject(text)).toEqual({ id: number });
    }
  });

  it("reads 32 levels and no more", () => {
    const nested = (levels: number): string => '{"a":'.repeat(levels) + "1" + "}".repeat(levels);
    expect(parseJsonObject(nested(32))).not.toBeNull();
    expect(parseJsonObject(nested(33))).toBeNull();
    expect(parseJsonObject(nested(200_000))).toBeNull();
  });

  it("takes `__proto__` for a field like any other", () => {
    const parsed = parseJsonObject('{"__proto__":{"status":0}}');
    expect(parsed?.["status"]).toBeUndefined();
  });
});

describe("codeOf", () => {
  it.each([
    [0, 0],
    [-2, -2],
    ["2129", 2129],
    ["-1", -1],
    [0.5, null],
    ["0.0", null],
    ["", null],
    [" 1", null],
    ["9999999999", null],
    [1e300, null],
    [true, null],
    [null, null],
    [[0], null],
  ])("reads %j as %j", (value, code) => {
    expect(codeOf(value)).toBe(code);
  });
});
