import { goesOn } from "../src/batches/batch-state.ts";
import { FairShare } from "../src/batches/share.ts";
import { freePlaces, rowsToTake, ticketRows } from "../src/batches/window.ts";
import type { FeederBatch } from "./feeder-batch.ts";
import { foldRows } from "./feeder-fold.ts";
import { unhindered } from "./feeder-obstacle.ts";
import type { FeederParts } from "./feeder-parts.ts";

/** Rows in the air of one queue, at most: what is put away is held in memory. */
const MOST_AIR = 20_000;

/** Hands rows of the open batches over, to each its share of the free places. */
export class HandingOver {
  readonly #parts: FeederParts;
  readonly #share = new FairShare();

  constructor(parts: FeederParts) {
    this.#parts = parts;
  }

  /** `rate`: rows of the queue that end in a second. How many moved. */
  async hand(epoch: number, rate: number): Promise<number> {
    const { deps, store, batches } = this.#parts;
    const hands = batches.all;
    const queued = hands.reduce((sum, hand) => sum + hand.queued, 0);
    const inAir = hands.reduce((sum, { air }) => sum + air.size, 0);
    const places = Math.min(freePlaces(queued, rate), MOST_AIR - inAir);
    const claimants = hands
      .filter(({ batch: { state } }) => goesOn(state))
      .map(({ batch }) => ({ ...batch, rows: rowsToTake(batch) }));
    if (places <= 0 || claimants.every(({ rows }) => rows === 0)) return 0;
    const tenants = await store.tenantWeights(deps.queue);
    let moved = 0;
    for (const [id, share] of this.#share.divide(places, claimants, tenants)) {
      const hand = batches.get(id);
      if (hand === undefined) continue;
      moved += await unhindered(
        this.#parts,
        hand,
        epoch,
        async () => await this.#take(hand, epoch, share, ticketRows(rate)),
      );
    }
    return moved;
  }

  /** Its next rows, as many as its share is. How many moved. */
  async #take(hand: FeederBatch, epoch: number, share: number, together: number): Promise<number> {
    const { deps, runs, fold } = this.#parts;
    const { queue, now, metrics } = deps;
    let moved = 0;
    while (moved < share) {
      const { queued, ended, isOver } = await runs[hand.batch.target.kind].take(hand, epoch, share - moved, together);
      for (const [row, ticket] of queued) hand.put(row, "queued", { isAway: false, ticket, queuedAt: now() });
      if (ended.size > 0) await foldRows(fold, hand, epoch, ended);
      metrics.batches.fed(queue, queued.size);
      moved += queued.size + ended.size;
      if (isOver || queued.size + ended.size === 0) break;
    }
    return moved;
  }
}
