import { newRate } from "../src/batches/window.ts";
import type { FeederBatch } from "./feeder-batch.ts";

/** Shorter times say nothing, in ms. */
const LEAST_MS = 100;
/** The times over which rates are taken, ms: what people are shown is steady, what the queue is to hold follows at once. */
const SHOWN_OVER_MS = 5_000;
const FED_OVER_MS = 500;

/** How fast rows end, of each batch and of the whole queue. */
export class FeederRates {
  /** Rows of the queue that end in a second. */
  ofQueue = 0;
  #ratedAt = 0;

  renew(hands: readonly FeederBatch[], now: number): void {
    const ms = now - this.#ratedAt;
    if (ms < LEAST_MS) return;
    let ended = 0;
    for (const hand of hands) {
      hand.rate = this.#ratedAt === 0 ? hand.rate : newRate(hand.rate, hand.endedSince, ms, SHOWN_OVER_MS);
      ended += hand.endedSince;
      hand.endedSince = 0;
    }
    if (this.#ratedAt > 0) this.ofQueue = newRate(this.ofQueue, ended, ms, FED_OVER_MS);
    this.#ratedAt = now;
  }
}
