import type { BatchStore } from "../src/batches/batch-store.ts";
import { ROW_STATES, totalOf } from "../src/batches/row-state.ts";
import type { QueueName } from "../src/queues/names.ts";
import type { Logger } from "../src/telemetry/logger.ts";
import type { BatchMetrics } from "../src/telemetry/batch-metrics.ts";

export interface CountDeps {
  readonly queue: QueueName;
  readonly store: Pick<BatchStore, "audit">;
  readonly metrics: { readonly batches: Pick<BatchMetrics, "counted"> };
  readonly logger: Logger;
}

/** The counts of these batches against the states of their rows: they are the same and add up, or something is wrong. */
export async function countRows({ queue, store, metrics, logger }: CountDeps, ids: readonly string[]): Promise<void> {
  let off = 0;
  for (const id of ids) {
    const audit = await store.audit(queue, id);
    if (audit === null) continue;
    const { rows, counts, bytes, foreign } = audit;
    const wrong = ROW_STATES.filter((state) => counts[state] !== bytes[state]);
    const missing = Math.abs(rows - totalOf(bytes)) + foreign;
    off += wrong.reduce((sum, state) => sum + Math.abs(counts[state] - bytes[state]), missing);
    if (wrong.length > 0 || missing > 0)
      logger.rarely.error({ batch: id, rows, counts, bytes, foreign }, "batch miscounted");
  }
  metrics.batches.counted(queue, off);
}
