import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoffMs } from "../../../src/outcomes/backoff.ts";

describe("backoffMs", () => {
  it("doubles its ceiling with every failure and stops at the cap", () => {
    const ceilings = [1, 2, 3, 4, 5, 6, 7, 8].map((failures) => backoffMs(failures, 1_000, 60_000, () => 1));
    expect(ceilings).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  });

  it("takes any share of the ceiling, from nothing to all of it", () => {
    expect(backoffMs(3, 1_000, 60_000, () => 0)).toBe(0);
    expect(backoffMs(3, 1_000, 60_000, () => 0.25)).toBe(1_000);
  });

  it("never throws and never gives anything but a finite number of ms within the cap", () => {
    const anyNumber = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(NaN, Infinity, -Infinity, -1, 0));
    fc.assert(
      fc.property(
        anyNumber,
        anyNumber,
        fc.double({ min: 0, max: 1e9, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (failures, base, cap, share) => {
          const wait = backoffMs(failures, base, cap, () => share);
          expect(Number.isFinite(wait)).toBe(true);
          expect(wait).toBeGreaterThanOrEqual(0);
          expect(wait).toBeLessThanOrEqual(Math.ceil(cap));
        },
      ),
    );
  });
});
