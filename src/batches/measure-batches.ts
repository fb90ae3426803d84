import { isRead } from "../base/unread.ts";
import type { QueueName } from "../queues/names.ts";
import type { RedisClient } from "../redis/connection.ts";
import type { BatchMeasures } from "../telemetry/batch-metrics.ts";
import { BATCH_STATES, type BatchState, hasEnded } from "./batch-state.ts";
import type { BatchStore } from "./batch-store.ts";
import { measureSeats } from "./measure-seats.ts";
import { noRows, ROW_STATES } from "./row-state.ts";

/** States in which somebody has to look after a batch. */
const OPEN_BATCH_STATES = BATCH_STATES.filter((state) => !hasEnded(state));

/** `now`: ms. */
export async function measureBatches(
  redis: RedisClient,
  store: Pick<BatchStore, "open" | "getMany">,
  queue: QueueName,
  now: number,
): Promise<BatchMeasures> {
  const open = Object.fromEntries(OPEN_BATCH_STATES.map((state) => [state, 0])) as Record<BatchState, number>;
  const rows = noRows();
  const batches = (await store.getMany(queue, await store.open(queue))).filter(isRead);
  for (const batch of batches) {
    // One that was cancelled is open until what is in the air has ended.
    open[batch.state] = (open[batch.state] ?? 0) + 1;
    for (const state of ROW_STATES) rows[state] += batch.counts[state];
  }
  return { open, rows, seats: await measureSeats(redis, queue, batches, now) };
}
