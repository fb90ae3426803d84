import type { QueueName } from "../queues/names.ts";
import { BATCH_STATES, type BatchState, hasEnded } from "./batch-state.ts";
import type { BatchStore } from "./batch-store.ts";
import { noRows, ROW_STATES, type RowCounts } from "./row-state.ts";

/** States in which somebody has to look after a batch. */
const OPEN_BATCH_STATES = BATCH_STATES.filter((state) => !hasEnded(state));

/** The open batches of a queue, all together. */
export interface BatchMeasures {
  /** How many, by state. */
  readonly open: Readonly<Partial<Record<BatchState, number>>>;
  readonly rows: RowCounts;
  /** Rows of theirs that end in a second, of late. */
  readonly rate: number;
}

export async function measureBatches(
  store: Pick<BatchStore, "open" | "getMany">,
  queue: QueueName,
): Promise<BatchMeasures> {
  const open = Object.fromEntries(OPEN_BATCH_STATES.map((state) => [state, 0])) as Record<BatchState, number>;
  const rows = noRows();
  let rate = 0;
  for (const batch of await store.getMany(queue, await store.open(queue))) {
    if (batch === null) continue;
    // One that was cancelled is open until what is in the air has ended.
    open[batch.state] = (open[batch.state] ?? 0) + 1;
    for (const state of ROW_STATES) rows[state] += batch.counts[state];
    rate += batch.rate;
  }
  return { open, rows, rate };
}
