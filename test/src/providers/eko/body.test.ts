import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wireInteger } from "../../../../src/providers/eko/body.ts";

describe("wireInteger", () => {
  it.each([
    ["93847201", 93_847_201],
    ["0", 0],
    ["999999999999999", 999_999_999_999_999],
    ["1000000000000000", "1000000000000000"],
    ["0123", "0123"],
    ["-1", "-1"],
    ["1.5", "1.5"],
    ["1e3", "1e3"],
    ["af39bb86", "af39bb86"],
    ["", ""],
  ])("sends %j as %j", (text, sent) => {
    expect(wireInteger(text)).toBe(sent);
  });

  it("loses nothing of any text", () => {
    const digits = fc.string({ unit: fc.constantFrom(..."0123456789".split("")) });
    fc.assert(fc.property(fc.oneof(digits, fc.string()), (text) => String(wireInteger(text)) === text));
  });
});
