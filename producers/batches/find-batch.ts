import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { isRead } from "../../src/base/unread.ts";
import type { Batch } from "../../src/batches/batch.ts";
import type { BatchStore } from "../../src/batches/batch-store.ts";
import { type QueueName, QUEUES } from "../../src/queues/names.ts";
import { isBatchId } from "../../src/records/ids.ts";

/** Batches of one queue that are read at once: a name is looked for in all of them. */
const AT_ONCE = 100;

/**
 * A batch by its id, by the caller's own id for it, or by its name where only one has that.
 * Throws SatyapanError `unknown-batch`, `bad-input` for a name of several, or `unreadable` for one of a newer version.
 */
export async function findBatch(store: BatchStore, text: string): Promise<Batch> {
  for (const queue of QUEUES) {
    const id = isBatchId(text) ? text : await store.knownAs(queue, `id:${text}`);
    const batch = id === null ? null : await store.get(queue, id);
    if (batch !== null) return batch;
  }
  const named: Batch[] = [];
  for await (const batch of allBatches(store)) if (batch.name === text) named.push(batch);
  const [first, ...others] = named;
  if (first === undefined) {
    throw new SatyapanError(ErrorCode.UNKNOWN_BATCH, "there is no such batch: `satyapan batch list` shows all");
  }
  if (others.length === 0) return first;
  const ids = named.map(({ id }) => id).join(", ");
  throw new SatyapanError(ErrorCode.BAD_INPUT, `${named.length} batches have that name: say which by its id (${ids})`);
}

/** Every batch that is kept, of all queues, the newest of each first; without those of a newer version. */
export async function* allBatches(store: BatchStore): AsyncGenerator<Batch> {
  for (const queue of QUEUES) yield* batchesOf(store, queue);
}

async function* batchesOf(store: BatchStore, queue: QueueName): AsyncGenerator<Batch> {
  const ids = await store.all(queue);
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    for (const batch of await store.getMany(queue, ids.slice(at, at + AT_ONCE))) if (isRead(batch)) yield batch;
  }
}
