import type { Quota, QuotaWindow } from "../src/limits/quota.ts";

/** What was counted in one sliding window. */
interface WindowCount extends QuotaWindow {
  /** Most requests ever inside any `ms` milliseconds, refused ones not counted. */
  readonly peak: number;
  /** Requests that came when the window was full. */
  readonly overruns: number;
}

/** Arrival times of the last `ms` milliseconds: (now − ms, now]. */
class SlidingWindow {
  readonly #window: QuotaWindow;
  readonly #arrivals: number[] = [];
  #head = 0;
  #peak = 0;
  #overruns = 0;

  constructor(window: QuotaWindow) {
    this.#window = window;
  }

  /** 0 where one more fits now, else the ms until it does. */
  waitMs(now: number): number {
    const arrivals = this.#arrivals;
    const { max, ms } = this.#window;
    while (this.#head < arrivals.length && (arrivals[this.#head] ?? now) <= now - ms) this.#head += 1;
    if (this.#head > 1_024 && this.#head * 2 > arrivals.length) {
      arrivals.splice(0, this.#head);
      this.#head = 0;
    }
    const inside = arrivals.length - this.#head;
    if (inside < max) return 0;
    this.#overruns += 1;
    return (arrivals[arrivals.length - max] ?? now) + ms - now;
  }

  count(now: number): void {
    this.#arrivals.push(now);
    this.#peak = Math.max(this.#peak, this.#arrivals.length - this.#head);
  }

  toJSON(): WindowCount {
    return { ...this.#window, peak: this.#peak, overruns: this.#overruns };
  }
}

/**
 * Counts one provider's requests on arrival, in all its windows at once. A request that is refused does not count (which
 * the real providers do is not documented, facts/deepvue §8.5). Times are whole ms, cut off: never stricter than the quota.
 */
export class QuotaCounter {
  readonly #windows: readonly SlidingWindow[];
  /** False: overruns are counted, nothing is refused. */
  readonly enforced: boolean;
  #overruns = 0;
  #refused = 0;

  constructor(quota: Quota, enforced: boolean) {
    this.#windows = quota.map((window) => new SlidingWindow(window));
    this.enforced = enforced;
  }

  /** 0 where the request is within every window, else the ms after which it would have been. */
  arrive(now: number): number {
    let waitMs = 0;
    for (const window of this.#windows) waitMs = Math.max(waitMs, window.waitMs(now));
    if (waitMs > 0) this.#overruns += 1;
    if (waitMs > 0 && this.enforced) this.#refused += 1;
    else for (const window of this.#windows) window.count(now);
    return waitMs;
  }

  toJSON(): QuotaCount {
    return {
      overruns: this.#overruns,
      refused: this.#refused,
      windows: this.#windows.map((window) => window.toJSON()),
    };
  }
}

export interface QuotaCount {
  /** Requests that came when at least one window was full. */
  readonly overruns: number;
  /** Those of them that were answered 429. */
  readonly refused: number;
  readonly windows: readonly WindowCount[];
}
