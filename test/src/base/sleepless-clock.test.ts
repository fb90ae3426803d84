import { expect, it } from "vitest";
import { sleeplessClock } from "../../../src/base/sleepless-clock.ts";

/** A machine whose two clocks go on by so much each. */
function setup() {
  let [now, steady] = [1_800_000_000_000, 5_000.5];
  const clock = sleeplessClock(
    () => now,
    () => steady,
  );
  const goOn = (nowMs: number, steadyMs: number): number => {
    const before = clock();
    now += nowMs;
    steady += steadyMs;
    return clock() - before;
  };
  return { clock, goOn };
}

it("begins as the monotonic clock, and goes on with it", () => {
  const { clock, goOn } = setup();
  expect(clock()).toBe(5_000.5);
  expect(goOn(10, 10.25)).toBe(10.25);
});

it("goes on while the machine sleeps, though the monotonic clock stands still, each time again", () => {
  const { goOn } = setup();
  expect(goOn(60_000, 2)).toBe(60_000);
  expect(goOn(3, 3)).toBe(3);
  expect(goOn(5_000, 0)).toBe(5_000);
});

it("never goes back, and takes no small adjustment of the time of day for a sleep", () => {
  const { goOn } = setup();
  expect(goOn(-3_600_000, 4)).toBe(4);
  expect(goOn(45, 5)).toBe(5);
  expect(goOn(45, 5)).toBe(5);
});
