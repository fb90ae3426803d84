/** Rows that lie ready in the queue beyond those that are called: enough that no worker waits, few enough that nobody waits long. */
const LEAST = 16;
const MOST = 2_000;
/** What the queue is to hold, by what it does: far more than passes from one look of the feeder to the next; in s. */
const AHEAD_S = 0.4;

/** How many rows may be handed to a queue that holds `queued` of them, and of which `rate` end in a second. */
export function freePlaces(queued: number, rate: number): number {
  return Math.max(0, Math.min(MOST, Math.max(LEAST, Math.ceil(rate * AHEAD_S))) - queued);
}

/** The time over which a rate is taken, in ms: a few seconds of rows say how many come in the next. */
const RATE_OVER_MS = 5_000;

/** A rate per second that forgets: `count` more in the last `ms`. */
export function newRate(rate: number, count: number, ms: number): number {
  if (ms <= 0) return rate;
  const weight = 1 - Math.exp(-ms / RATE_OVER_MS);
  return rate + weight * ((1_000 * count) / ms - rate);
}
