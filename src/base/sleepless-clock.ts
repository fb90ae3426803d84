/** A monotonic clock, in ms: only differences of it mean anything, and it never goes back. */
export type Monotonic = () => number;

export const steadyClock: Monotonic = () => performance.now();

/** The time of day that went on by so much more than the monotonic clock, in ms, tells of a sleep; less is a clock that is adjusted. */
const SLEEP_MS = 50;

/**
 * The monotonic clock, which stands still while the machine sleeps or is paused, with those times added: told by the time of day, which
 * goes on. One that is set forward looks like a sleep, so this is for what may be thought older than it is, and never younger.
 */
export function sleeplessClock(now: () => number, steady: Monotonic = steadyClock): Monotonic {
  let [lastNow, lastSteady, sleptMs] = [now(), steady(), 0];
  return () => {
    const [nowMs, steadyMs] = [now(), steady()];
    const extraMs = nowMs - lastNow - (steadyMs - lastSteady);
    if (extraMs > SLEEP_MS) sleptMs += extraMs;
    [lastNow, lastSteady] = [nowMs, steadyMs];
    return steadyMs + sleptMs;
  };
}
