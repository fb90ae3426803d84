import type { Unread } from "../src/base/unread.ts";
import type { RowSight } from "../src/batches/row-end.ts";
import type { FeederBatch } from "./feeder-batch.ts";

/** Rows that were handed over, each with the ticket that carries its job, or null; and those that ended instead. */
export interface HandedOver {
  readonly queued: ReadonlyMap<number, string | null>;
  readonly ended: ReadonlyMap<number, RowSight>;
  /** Nothing more is to be had of the batch now. */
  readonly isOver: boolean;
}

/** What the rows of a batch run, as the feeder deals with it. Whatever takes an epoch throws FencedError. */
export interface RowRuns {
  /** Hands the next waiting rows over, at most so many; of those that go into the queue at once, no more share an entry than `together`. */
  take(hand: FeederBatch, epoch: number, most: number, together: number): Promise<HandedOver>;
  /** Where these rows stand, in order; null: nothing is known of one any more. */
  see(hand: FeederBatch, rows: readonly number[]): Promise<(RowSight | Unread | null)[]>;
  /** Of a batch that does not go on: rows that are not under way are taken back, or called off. How many moved. */
  takeBack(hand: FeederBatch, epoch: number): Promise<number>;
  /** Rows whose place in the queue is lost get another one. */
  mend(hands: readonly FeederBatch[]): Promise<void>;
}
