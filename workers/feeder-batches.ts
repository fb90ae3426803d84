import { ErrorCode } from "../src/base/error.ts";
import { UNREAD } from "../src/base/unread.ts";
import type { BatchStore } from "../src/batches/batch-store.ts";
import type { RepairStore } from "../src/batches/repair-store.ts";
import type { QueueName } from "../src/queues/names.ts";
import type { Logger } from "../src/telemetry/logger.ts";
import type { Metrics } from "../src/telemetry/metrics.ts";
import { FeederBatch } from "./feeder-batch.ts";

export interface FeederBatchesDeps {
  readonly queue: QueueName;
  readonly store: Pick<BatchStore, "getMany" | "states" | "close">;
  readonly repairs: Pick<RepairStore, "reruns">;
  readonly metrics: Pick<Metrics, "unreadable">;
  readonly logger: Logger;
  readonly now: () => number;
}

/** The open batches of a queue, as the feeder has them at hand. */
export class FeederBatches {
  readonly #deps: FeederBatchesDeps;
  #batches = new Map<string, FeederBatch>();
  /** Those of a newer version, which are left to its feeder: that was said. */
  #left: ReadonlySet<string> = new Set();

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
    const left = new Set<string>();
    for (const [index, batch] of (await store.getMany(queue, ids)).entries()) {
      const id = ids[index] ?? "";
      if (batch === null) {
        await store.close({ queue, id }, epoch, "cancelled", now());
        continue;
      }
      if (batch === UNREAD) {
        if (!this.#left.has(id)) this.#sayLeft(id);
        left.add(id);
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
    this.#left = left;
  }

  #sayLeft(batch: string): void {
    const { metrics, logger } = this.#deps;
    metrics.unreadable("batch");
    logger.error({ batch, code: ErrorCode.UNREADABLE }, "batch of a newer version: it is left as it is");
  }
}
