import type { BatchStore } from "../src/batches/batch-store.ts";
import type { RepairStore } from "../src/batches/repair-store.ts";
import type { QueueName } from "../src/queues/names.ts";
import { FeederBatch } from "./feeder-batch.ts";

export interface FeederBatchesDeps {
  readonly queue: QueueName;
  readonly store: Pick<BatchStore, "getMany" | "states" | "close">;
  readonly repairs: Pick<RepairStore, "reruns">;
  readonly now: () => number;
}

/** The open batches of a queue, as the feeder has them at hand. */
export class FeederBatches {
  readonly #deps: FeederBatchesDeps;
  #batches = new Map<string, FeederBatch>();

  constructor(deps: FeederBatchesDeps) {
    this.#deps = deps;
  }

  get all(): readonly FeederBatch[] {
    return [...this.#batches.values()];
  }

  get(id: string): FeederBatch | undefined {
    return this.#batches.get(id);
  }

  /** Nobody has to look after it any more. */
  ended(id: string): void {
    this.#batches.delete(id);
  }

  forgetAll(): void {
    this.#batches = new Map();
  }

  /** The open batches as they are now; those that are new here with their rows. */
  async read(ids: readonly string[], epoch: number): Promise<void> {
    const { queue, store, repairs, now } = this.#deps;
    const known = new Map<string, FeederBatch>();
    for (const [index, batch] of (await store.getMany(queue, ids)).entries()) {
      const id = ids[index] ?? "";
      if (batch === null) {
        await store.close({ queue, id }, epoch, "cancelled", now());
        continue;
      }
      const hand = this.#batches.get(id) ?? new FeederBatch(batch);
      if (hand.isStale || hand.batch.repairs !== batch.repairs) {
        hand.load(await store.states(queue, id), await repairs.reruns(queue, id));
      }
      hand.batch = batch;
      known.set(id, hand);
    }
    this.#batches = known;
  }
}
