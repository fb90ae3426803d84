import { describe, expect, it } from "vitest";
import { earlyCalls } from "../../simulator/early-calls.ts";

/** Each stamped then, and heard at most so many ms late; null: nobody watched. */
const arrivals = (...stamps: readonly (readonly [at: number, lateMs: number | null])[]) =>
  stamps.map(([at, lateMs], n) => ({ seq: n + 1, at, came_after: lateMs === null ? null : at - lateMs }));

const told = (requests: ReturnType<typeof arrivals>, quota = [{ max: 2, ms: 1_000 }]) =>
  earlyCalls(requests, quota).map(({ request, before, earlyMs, isCertain }) => [
    ...[request.seq, before.seq, earlyMs, isCertain],
  ]);

describe("calls that came too early for a window", () => {
  it("are those with which one more than it allows came within its time, in every window by itself", () => {
    expect(told(arrivals([0, 0], [500, 0], [1_000, 0], [1_500, 0]))).toEqual([]);
    expect(told(arrivals([0, 0], [500, 0], [900, 0]))).toEqual([[3, 1, 100, true]]);
    const two = [
      { max: 1, ms: 100 },
      { max: 2, ms: 5_000 },
    ];
    expect(told(arrivals([0, 0], [90, 0], [4_000, 0]), two)).toEqual([
      [2, 1, 10, true],
      [3, 1, 1_000, true],
    ]);
  });

  it("are in doubt where the first of them may have come as much earlier as it was heard late", () => {
    expect(told(arrivals([40, 40], [500, 1], [1_010, 1]))).toEqual([[3, 1, 30, false]]);
    expect(told(arrivals([40, 20], [500, 1], [1_010, 1]))).toEqual([[3, 1, 30, true]]);
  });

  it("are not excused by a late stamp of their own, which makes them look later than they were", () => {
    expect(told(arrivals([0, 1], [500, 1], [900, 400]))).toEqual([[3, 1, 100, true]]);
  });

  it("are certain where nobody watched the witness", () => {
    expect(told(arrivals([0, null], [500, null], [999, null]))).toEqual([[3, 1, 1, true]]);
  });
});
