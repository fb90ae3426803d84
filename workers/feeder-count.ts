import type { BatchStore } from "../src/batches/batch-store.ts";
import { ROW_STATES, totalOf } from "../src/batches/row-state.ts";
import type { QueueName } from "../src/queues/names.ts";
import type { Logger } from "../src/telemetry/logger.ts";

export interface CountDeps {
  readonly queue: QueueName;
  readonly store: Pick<BatchStore, "audit">;
  readonly now: () => number;
  readonly logger: Logger;
}

/** Between two counts, in ms. */
const EVERY_MS = 60_000;
/** For so long after its end a batch is counted as well, in ms: it may end sooner than an alert needs. */
const OVER_MS = 3_600_000;

/** The counts of batches against the states of their rows: they are the same and add up, or something is wrong. */
export class RowCount {
  readonly #deps: CountDeps;
  /** When each ended that this feeder saw end, ms. */
  readonly #ended = new Map<string, number>();
  #countAt = 0;
  #off = 0;

  constructor(deps: CountDeps) {
    this.#deps = deps;
  }

  /** Rows that are not in the state they are counted in, at the last count. */
  get off(): number {
    return this.#off;
  }

  ended(id: string): void {
    this.#ended.set(id, this.#deps.now());
  }

  /** Counts those that are open, and those that ended of late, if it is time. */
  async count(open: readonly string[]): Promise<void> {
    const now = this.#deps.now();
    if (now < this.#countAt) return;
    this.#countAt = now + EVERY_MS;
    for (const [id, at] of this.#ended) if (now - at > OVER_MS) this.#ended.delete(id);
    let off = 0;
    for (const id of new Set([...open, ...this.#ended.keys()])) off += await this.#offIn(id);
    this.#off = off;
  }

  async #offIn(id: string): Promise<number> {
    const { queue, store, logger } = this.#deps;
    const audit = await store.audit(queue, id);
    if (audit === null) return 0;
    const { rows, counts, bytes, foreign } = audit;
    const wrong = ROW_STATES.filter((state) => counts[state] !== bytes[state]);
    const missing = Math.abs(rows - totalOf(bytes)) + foreign;
    if (wrong.length > 0 || missing > 0)
      logger.rarely.error({ batch: id, rows, counts, bytes, foreign }, "batch miscounted");
    return wrong.reduce((sum, state) => sum + Math.abs(counts[state] - bytes[state]), missing);
  }
}
