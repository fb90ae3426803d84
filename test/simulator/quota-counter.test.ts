import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { QuotaCounter } from "../../simulator/quota-counter.ts";

/** The definition, counted one by one: accepted arrivals in (now − ms, now]. */
function admittedBySpec(quota: readonly { max: number; ms: number }[], arrivals: readonly number[]): boolean[] {
  const accepted: number[] = [];
  return arrivals.map((now) => {
    const fits = quota.every(({ max, ms }) => accepted.filter((at) => at > now - ms).length < max);
    if (fits) accepted.push(now);
    return fits;
  });
}

describe("QuotaCounter", () => {
  it("agrees with the definition for any windows and arrivals", () => {
    const window = fc.record({ max: fc.integer({ min: 0, max: 5 }), ms: fc.integer({ min: 1, max: 50 }) });
    const gaps = fc.array(fc.nat({ max: 20 }), { maxLength: 200 });
    fc.assert(
      fc.property(fc.array(window, { maxLength: 3 }), gaps, (quota, steps) => {
        let now = 1_000;
        const arrivals = steps.map((step) => (now += step));
        const counter = new QuotaCounter(quota, true);
        expect(arrivals.map((at) => counter.arrive(at) === 0)).toEqual(admittedBySpec(quota, arrivals));
      }),
    );
  });

  it("slides: a burst at the edge of two fixed minutes is one too many", () => {
    const counter = new QuotaCounter([{ max: 2, ms: 60_000 }], true);
    expect([59_000, 59_500, 60_500].map((at) => counter.arrive(at))).toEqual([0, 0, 58_500]);
  });

  it("admits again exactly one window after the oldest", () => {
    const counter = new QuotaCounter([{ max: 1, ms: 1_000 }], true);
    expect([0, 999, 1_000].map((at) => counter.arrive(at))).toEqual([0, 1, 0]);
  });

  it("counts a refused request in no window, but as an overrun", () => {
    const counter = new QuotaCounter(
      [
        { max: 1, ms: 1_000 },
        { max: 10, ms: 60_000 },
      ],
      true,
    );
    for (const at of [0, 1, 2, 1_000]) counter.arrive(at);
    expect(counter.toJSON()).toEqual({
      overruns: 2,
      refused: 2,
      windows: [
        { max: 1, ms: 1_000, peak: 1, overruns: 2 },
        { max: 10, ms: 60_000, peak: 2, overruns: 0 },
      ],
    });
  });

  it("only counts where it is not enforced, and then knows the true peak", () => {
    const counter = new QuotaCounter([{ max: 2, ms: 1_000 }], false);
    for (const at of [0, 1, 2, 3]) counter.arrive(at);
    expect(counter.toJSON()).toMatchObject({ overruns: 2, refused: 0, windows: [{ peak: 4 }] });
  });

  it("stays small over a million arrivals", () => {
    const counter = new QuotaCounter([{ max: 10, ms: 1_000 }], true);
    for (let at = 0; at < 100_000_000; at += 100) if (counter.arrive(at) !== 0) throw new Error(`refused at ${at}`);
    expect(counter.toJSON()).toMatchObject({ overruns: 0, windows: [{ peak: 10 }] });
  });
});
