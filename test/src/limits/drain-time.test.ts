import * as fc from "fast-check";
import { expect, it } from "vitest";
import { drainTime } from "../../../src/limits/drain-time.ts";
import { parseQuota } from "../../../src/limits/parse-quota.ts";
import type { Quota } from "../../../src/limits/quota.ts";

const DEEPVUE = parseQuota("1/1s,30/1m,1000/1d", "DEEPVUE_QUOTA");

it.each([
  [1, 0],
  [2, 1_000],
  [30, 29_000],
  [31, 60_000],
  [1_000, 33 * 60_000 + 9_000],
  [1_001, 86_400_000],
  [2_500, 2 * 86_400_000 + 16 * 60_000 + 19_000],
])("%d calls of Deepvue's quota take %d ms", (calls, ms) => {
  expect(drainTime(DEEPVUE, calls)).toBe(ms);
});

it("waits for what was used before", () => {
  expect(drainTime(DEEPVUE, 1, ({ max }) => (max === 1_000 ? 1_000 : 0))).toBe(86_400_000);
});

it("has no end where no call is allowed, and none is known where there is no quota", () => {
  expect(drainTime(parseQuota("0", "quota"), 1)).toBeNull();
  expect(drainTime([], 1)).toBeNull();
});

/** The last of `calls` calls, each made at the first moment when every window has room. */
function played(quota: Quota, calls: number): number {
  const made: number[] = [];
  for (let call = 0; call < calls; call++) {
    const free = quota.map(({ max, ms }) => (call < max ? 0 : (made[call - max] ?? 0) + ms));
    made.push(Math.max(0, ...free));
  }
  return made.at(-1) ?? 0;
}

it("is when the last call is made, played out call by call, where longer windows are whole numbers of shorter ones", () => {
  const quotas = fc.record({
    a: fc.integer({ min: 1, max: 5 }),
    b: fc.integer({ min: 1, max: 6 }),
    calls: fc.integer({ min: 1, max: 400 }),
  });
  fc.assert(
    fc.property(quotas, ({ a, b, calls }) => {
      const quota = [
        { max: a, ms: 1_000 },
        { max: a * b, ms: 10_000 },
      ];
      expect(drainTime(quota, calls)).toBe(played(quota, calls));
    }),
  );
});
