import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../src/base/error.ts";
import { formatQuota, parseQuota } from "../../../src/limits/parse-quota.ts";

const DAY = 86_400_000;

describe("parseQuota", () => {
  it("reads the windows and puts the shortest first", () => {
    expect(parseQuota("1000/1d, 1/1s ,30/1m", "DEEPVUE_QUOTA")).toEqual([
      { max: 1, ms: 1_000 },
      { max: 30, ms: 60_000 },
      { max: 1_000, ms: DAY },
    ]);
  });

  it.each(["0", "0/1s"])("reads %s as a hold", (text) => {
    expect(parseQuota(text, "EKO_QUOTA")).toEqual([{ max: 0, ms: 1_000 }]);
  });

  it("accepts a longer window that allows no more than a shorter one", () => {
    expect(parseQuota("30/1s,30/1m", "EKO_QUOTA")).toHaveLength(2);
  });

  it.each([
    [
      "30/1s,10/1m",
      "EKO_QUOTA contradicts itself: of 30/1s and 10/1m the longer window allows fewer calls than the shorter",
    ],
    ["10/60s,20/1m", "EKO_QUOTA must have one window of a length, not both 10/1m and 20/1m"],
    ["10/1s,10/1s", "EKO_QUOTA must have one window of a length, not both 10/1s and 10/1s"],
    ["0/1s,30/1m", "EKO_QUOTA must be 0/1s alone to hold all calls: a window of 0 leaves nothing to the others"],
    ["0/1s,0/1m", "EKO_QUOTA must be 0/1s alone to hold all calls: a window of 0 leaves nothing to the others"],
    ["10/0s", 'EKO_QUOTA must be 1ms to 31d, not 0s in the window "10/0s"'],
    ["10/32d", 'EKO_QUOTA must be 1ms to 31d, not 32d in the window "10/32d"'],
    ["10/60", 'EKO_QUOTA must have a unit, for example 60s or 60ms, not only "60" in the window "10/60"'],
    ["1000001/1d", 'EKO_QUOTA must allow at most 1000000 calls in a window, not "1000001/1d"'],
    ["10", 'EKO_QUOTA must be windows of calls/duration, like 1/1s,30/1m,1000/1d, not "10"'],
  ])("refuses %s and says why", (text, message) => {
    expect(() => parseQuota(text, "EKO_QUOTA")).toThrow(
      expect.objectContaining({ code: ErrorCode.BAD_SETTINGS, message }),
    );
  });

  it.each(["", ",", "1/1s,", "/1s", "1/", "-1/1s", "1.5/1s", "1/1s/1s", "1 per second", "1/1s;2/1m", "00", "1e3/1s"])(
    "refuses %j",
    (text) => {
      expect(() => parseQuota(text, "EKO_QUOTA")).toThrow(expect.objectContaining({ code: ErrorCode.BAD_SETTINGS }));
    },
  );

  it("refuses more windows than there are reasons for, and texts of any length", () => {
    const nine = Array.from({ length: 9 }, (_, index) => `${index + 1}/${index + 1}s`).join(",");
    expect(() => parseQuota(nine, "EKO_QUOTA")).toThrow(/at most 8 windows/);
    expect(() => parseQuota("1/1s,".repeat(1_000_000), "EKO_QUOTA")).toThrow(/at most 200 characters/);
  });
});

describe("formatQuota", () => {
  it("writes what parseQuota reads back, whatever order the windows were given in", () => {
    const length = fc.oneof(fc.integer({ min: 1, max: 31 * DAY }), fc.constantFrom(1_000, 60_000, 3_600_000, DAY));
    const lengths = fc.uniqueArray(length, { minLength: 1, maxLength: 8 });
    const limits = fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(lengths, limits, (unsorted, unsortedLimits) => {
        const max = unsortedLimits.toSorted((one, other) => one - other);
        const byLength = unsorted.toSorted((one, other) => one - other);
        const quota = byLength.map((ms, index) => ({ max: max[index] ?? 1, ms }));
        const shuffled = unsorted.flatMap((ms) => quota.filter((window) => window.ms === ms));
        expect(parseQuota(formatQuota(shuffled), "X")).toEqual(quota);
      }),
    );
  });

  it("writes a hold", () => {
    expect(formatQuota(parseQuota("0", "X"))).toBe("0/1s");
  });
});
