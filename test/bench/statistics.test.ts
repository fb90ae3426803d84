import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { median, percentile } from "../../bench/statistics.ts";

describe("median", () => {
  it("is the middle value, whatever the order, and the mean of the middle two of an even number", () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([7])).toBe(7);
  });

  it("refuses to make one up of nothing", () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe("percentile", () => {
  it("is one of the values, which that share of all does not exceed", () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentile(hundred, 0.5)).toBe(50);
    expect(percentile(hundred, 0.99)).toBe(99);
    expect(percentile(hundred, 1)).toBe(100);
    expect(percentile([3], 0.01)).toBe(3);
  });

  it("leaves at most the other share above it, for any values", () => {
    const values = fc.array(fc.double({ noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(values, fc.double({ min: 0.01, max: 1, noNaN: true }), (all, share) => {
        const found = percentile(all, share);
        expect(all).toContain(found);
        expect(all.filter((value) => value > found).length).toBeLessThanOrEqual((1 - share) * all.length + 1e-9);
      }),
    );
  });
});
