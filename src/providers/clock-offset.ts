import { httpDate } from "./retry-after.ts";

/**
 * The offset from which a clock is wrong and not merely uncertain, in ms: `Date` has whole seconds and some servers renew theirs a
 * little late. Up to here nothing is corrected: no provider's tolerance is known to be so small (facts/eko §1.6), and our
 * own clock is the better guess.
 */
export const CLOCK_TOLERANCE_MS = 2_000;

/** What was learnt is forgotten after one to two of these, in ms: clocks drift apart and are set. */
const PERIOD_MS = 300_000;

/** One reply, by our own clock in ms. */
export interface ClockObservation {
  /** The provider's `Date`; see `readDate`. */
  readonly dateMs: number;
  /** Before the request was written, and after its reply was read. */
  readonly sentAt: number;
  readonly receivedAt: number;
}

/** The provider's clock minus ours lies between these, in ms. */
interface Bounds {
  readonly low: number;
  readonly high: number;
}

const ANYTHING: Bounds = { low: -Infinity, high: Infinity };

/**
 * How far a provider's clock is from ours. At some moment between `sentAt` and `receivedAt` that clock showed at least
 * `Date` and less than a second more: each reply bounds the offset so, and several narrow it down to the time of a round
 * trip. Where bounds contradict each other a clock was set, and only the newest reply counts.
 */
export class ClockOffset {
  #current = ANYTHING;
  #previous = ANYTHING;
  #periodFrom = Number.NEGATIVE_INFINITY;

  observe({ dateMs, sentAt, receivedAt }: ClockObservation): void {
    // Our own clock was set back in between: it bounds nothing.
    if (receivedAt < sentAt) return;
    if (Math.abs(receivedAt - this.#periodFrom) >= PERIOD_MS) {
      this.#previous = this.#current;
      this.#current = ANYTHING;
      this.#periodFrom = receivedAt;
    }
    const seen = { low: dateMs - receivedAt, high: dateMs + 1_000 - sentAt };
    const all = intersect(intersect(this.#previous, this.#current), seen);
    if (all.low < all.high) {
      this.#current = intersect(this.#current, seen);
    } else {
      this.#previous = ANYTHING;
      this.#current = seen;
      this.#periodFrom = receivedAt;
    }
  }

  /**
   * The provider's clock minus ours in ms: of all that fit, the one nearest to 0, so that neither a slow reply nor the
   * whole seconds of `Date` look like a drift. 0 before the first reply.
   */
  get offsetMs(): number {
    const { low, high } = intersect(this.#previous, this.#current);
    return Math.min(Math.max(0, Math.ceil(low)), Math.floor(high));
  }

  /** What to add to our clock for a signature: nothing while the two agree within `CLOCK_TOLERANCE_MS`. */
  get correctionMs(): number {
    return isDrift(this.offsetMs) ? this.offsetMs : 0;
  }
}

/** What a reply taught of the clock since its request was signed: whether that was signed with a wrong time. */
export function isSignedOffTime(correctionThen: number, correctionNow: number): boolean {
  return Math.abs(correctionNow - correctionThen) > CLOCK_TOLERANCE_MS;
}

export function isDrift(offsetMs: number): boolean {
  return Math.abs(offsetMs) > CLOCK_TOLERANCE_MS;
}

/**
 * When a reply says it was made, ms since the epoch; null where it does not, where it comes out of a cache (`Age`), or where
 * the year is none of ours: a device that lost its clock says 1970, and signatures must not follow it there.
 */
export function readDate(headers: Readonly<Record<string, string>>): number | null {
  const date = headers["age"] === undefined ? httpDate(headers["date"]?.trim() ?? "") : null;
  return date !== null && date > Date.UTC(2020) && date < Date.UTC(2100) ? date : null;
}

function intersect(one: Bounds, other: Bounds): Bounds {
  return { low: Math.max(one.low, other.low), high: Math.min(one.high, other.high) };
}
