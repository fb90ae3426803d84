import { type ProviderName, PROVIDERS } from "../../src/base/provider-name.ts";
import { isRead } from "../../src/base/unread.ts";
import { type BatchView, viewOf } from "../../src/batches/batch.ts";
import { BatchStore } from "../../src/batches/batch-store.ts";
import { measure, type Measures } from "../../src/batches/measures.ts";
import { type QueueName, queueOf } from "../../src/queues/names.ts";
import type { RetentionTimes } from "../../src/records/settings.ts";
import { parseRecord } from "../../src/records/parse-record.ts";
import { type IndexedState, StateIndex } from "../../src/records/state-index.ts";
import { unlessRefused } from "../../src/redis/refusal.ts";
import type { ClientConnections, UseRedis } from "../base/client-connections.ts";

/** Jobs of the last ones that ended as failed or unknown, which did so alike. */
export interface Trouble {
  readonly operation: string;
  readonly state: IndexedState;
  readonly http_status: number | null;
  readonly reason: string | null;
  readonly count: number;
  /** ISO 8601, of the newest. */
  readonly last_at: string;
}

/** How a provider's queue, gate, batches and persons are now: what workers measure for Prometheus. */
export interface ProviderHealth extends Measures {
  readonly provider: ProviderName;
  /** Workers that take its jobs; null: Redis does not tell this user. */
  readonly workers: number | null;
  /** The newest first. */
  readonly troubles: readonly Trouble[];
  /** Those that have not ended, the oldest first. */
  readonly openBatches: readonly BatchView[];
}

/** The newest of each state that are looked at. */
const LOOKED_AT = 50;

/** `now`: Redis' time, ms. */
export async function readHealth(
  use: UseRedis,
  now: () => number,
  retention: RetentionTimes,
): Promise<ProviderHealth[]> {
  return await use(async (opened) => {
    const { redis, queues } = opened;
    return await Promise.all(
      PROVIDERS.map(async (provider) => {
        const queue = queueOf(provider);
        const [measured, workers, unknown, failed, openBatches] = await Promise.all([
          measure({ redis, queues, now, retention }, queue),
          queues.workers(queue).catch(unlessRefused),
          troublesOf(opened, queue, "unknown"),
          troublesOf(opened, queue, "failed"),
          batchesOf(new BatchStore(redis, retention), queue, now()),
        ]);
        const troubles = [...unknown, ...failed].toSorted((a, b) => b.last_at.localeCompare(a.last_at));
        return { provider, workers, troubles, openBatches, ...measured };
      }),
    );
  });
}

async function batchesOf(store: BatchStore, queue: QueueName, now: number): Promise<BatchView[]> {
  const batches = await store.getMany(queue, await store.open(queue));
  return batches.flatMap((batch) => (isRead(batch) ? [viewOf(batch, now)] : []));
}

async function troublesOf(
  { redis, records }: ClientConnections,
  queue: QueueName,
  state: IndexedState,
): Promise<Trouble[]> {
  const ids = await new StateIndex(redis, state).latest(queue, LOOKED_AT);
  const stored = await records.fieldsOfMany(queue, ids);
  const troubles = stored.flatMap((fields, nth): Trouble[] => {
    if (fields?.["state"] !== state) return [];
    const { operation, outcome, reason, updated_at } = parseRecord(ids[nth] ?? "", fields);
    return [{ operation, state, http_status: outcome?.http_status ?? null, reason, count: 1, last_at: updated_at }];
  });
  const alike = Map.groupBy(troubles, ({ operation, http_status, reason }) => `${operation} ${http_status} ${reason}`);
  return [...alike.values()].flatMap(([newest, ...others]) =>
    newest === undefined ? [] : [{ ...newest, count: others.length + 1 }],
  );
}
