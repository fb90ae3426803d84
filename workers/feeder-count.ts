import type { Audit, BatchStore } from "../src/batches/batch-store.ts";
import { ROW_STATES, totalOf } from "../src/batches/row-state.ts";
import type { QueueName } from "../src/queues/names.ts";
import type { Logger } from "../src/telemetry/logger.ts";

export interface CountDeps {
  readonly queue: QueueName;
  readonly store: Pick<BatchStore, "audit" | "over">;
  readonly now: () => number;
  readonly logger: Logger;
}

/** Between two counts, in ms. */
const EVERY_MS = 60_000;

/**
 * The counts of batches against the states of their rows: they are the same and add up, or something is wrong. A batch is counted for an
 * hour after its end as well, whoever fed it: it may end sooner than an alert needs. Found right then, it is read no more until it is
 * written to again: the states of a large one are a megabyte.
 */
export class RowCount {
  readonly #deps: CountDeps;
  /** Those that ended and were right, as they were then (`Audit.updated`). */
  #right: ReadonlyMap<string, string> = new Map();
  #countAt = 0;
  #off = 0;

  constructor(deps: CountDeps) {
    this.#deps = deps;
  }

  /** Rows that are not in the state they are counted in, at the last count. */
  get off(): number {
    return this.#off;
  }

  /** Counts those that are open, and those that ended of late, if it is time. */
  async count(open: readonly string[]): Promise<void> {
    const { queue, store, now: clock } = this.#deps;
    const now = clock();
    if (now < this.#countAt) return;
    this.#countAt = now + EVERY_MS;
    const over = await store.over(queue, now);
    const right = new Map<string, string>();
    let off = 0;
    for (const id of new Set([...open, ...over.keys()])) {
      const isOver = !open.includes(id);
      const updated = over.get(id);
      if (isOver && updated !== undefined && this.#right.get(id) === updated) {
        right.set(id, updated);
        continue;
      }
      const audit = await store.audit(queue, id);
      if (audit === null) continue;
      const offHere = this.#offIn(id, audit);
      if (isOver && offHere === 0) right.set(id, audit.updated);
      off += offHere;
    }
    this.#right = right;
    this.#off = off;
  }

  #offIn(id: string, { rows, counts, bytes, foreign }: Audit): number {
    const { logger } = this.#deps;
    const wrong = ROW_STATES.filter((state) => counts[state] !== bytes[state]);
    const missing = Math.abs(rows - totalOf(bytes)) + foreign;
    if (wrong.length > 0 || missing > 0)
      logger.rarely.error({ batch: id, rows, counts, bytes, foreign }, "batch miscounted");
    return wrong.reduce((sum, state) => sum + Math.abs(counts[state] - bytes[state]), missing);
  }
}
