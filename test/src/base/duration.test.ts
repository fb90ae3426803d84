import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration } from "../../../src/base/duration.ts";
import { ErrorCode, SatyapanError } from "../../../src/base/error.ts";

describe("parseDuration", () => {
  it.each([
    ["250ms", 250],
    ["60s", 60_000],
    ["1.5s", 1_500],
    ["1.1s", 1_100],
    ["0.001s", 1],
    ["0.5d", 43_200_000],
    ["10m", 600_000],
    ["24h", 86_400_000],
    ["30d", 2_592_000_000],
    ["0s", 0],
    ["3650d", 315_360_000_000],
  ])("reads %s as %i ms", (text, ms) => {
    expect(parseDuration(text, "CALL_TIMEOUT")).toBe(ms);
  });

  it.each([
    ["60", 'CALL_TIMEOUT must have a unit, for example 60s or 60ms, not only "60"'],
    ["5min", 'CALL_TIMEOUT must end in one of the units ms, s, m, h, d (250ms, 60s, 10m, 24h or 30d), not "min"'],
    ["0.5ms", 'CALL_TIMEOUT must be a whole number of milliseconds, not "0.5ms"'],
    ["1.0001s", 'CALL_TIMEOUT must be a whole number of milliseconds, not "1.0001s"'],
    ["3651d", "CALL_TIMEOUT must be 0s to 3650d, not 3651d"],
  ])("refuses %s and says how to mend it", (text, message) => {
    expect(() => parseDuration(text, "CALL_TIMEOUT")).toThrow(
      expect.objectContaining({ code: ErrorCode.BAD_SETTINGS, message }),
    );
  });

  it.each(["", " ", "-1s", "+1s", "1 s", " 1s", "1s ", "1S", "1h30m", ".5s", "1.s", "1e3s", "0x1s", "१s", "1s\n"])(
    "refuses %j",
    (text) => {
      expect(() => parseDuration(text, "X")).toThrow(expect.objectContaining({ code: ErrorCode.BAD_SETTINGS }));
    },
  );

  it("carries the code that its caller asks for", () => {
    expect(() => parseDuration("9", "--expires", ErrorCode.BAD_USAGE)).toThrow(
      new SatyapanError(ErrorCode.BAD_USAGE, '--expires must have a unit, for example 9s or 9ms, not only "9"'),
    );
  });

  it("repeats only the beginning of a long text", () => {
    expect(() => parseDuration("x".repeat(10_000), "X")).toThrow(/^.{1,150}$/);
  });
});

describe("formatDuration", () => {
  it.each([
    [0, "0s"],
    [250, "250ms"],
    [1_500, "1.5s"],
    [60_000, "1m"],
    [90_000, "90s"],
    [86_400_000, "1d"],
    [0.4, "0s"],
    [-2_000, "-2s"],
  ])("writes %d ms as %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it("writes what parseDuration reads back, for every whole number of ms", () => {
    const units = fc.constantFrom(1, 10, 1_000, 60_000, 3_600_000, 86_400_000);
    fc.assert(
      fc.property(fc.nat(86_400_000), units, (count, unit) => {
        const ms = Math.min(count * unit, 315_360_000_000);
        expect(parseDuration(formatDuration(ms), "X")).toBe(ms);
      }),
    );
  });
});
