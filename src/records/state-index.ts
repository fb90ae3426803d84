import { type AuditEntry, auditText } from "../privacy/audit/entry.ts";
import { AUDIT } from "../privacy/audit/outbox.ts";
import type { RedisClient } from "../redis/connection.ts";
import { claimKey, queuePrefix, type QueueName, recordKey, referenceKey } from "../queues/names.ts";
import { LuaScript } from "../redis/script.ts";
import type { JobRecord } from "./record.ts";

/** The states that somebody may have to decide about: their jobs can be looked up. */
export type IndexedState = "failed" | "unknown";

/** A job in the index. `at`: when it came into its state, ms. */
export interface IndexEntry {
  readonly id: string;
  readonly at: number;
}

export const DROP = new LuaScript(new URL("drop-failed.lua", import.meta.url), {
  needs: [AUDIT],
  once: true,
  args: { id: "text", prefix: "text", entry: "text" },
});

/** The jobs of a state, by the time they came into it: a sorted set per queue, which the records' scripts write. */
export class StateIndex {
  readonly #redis: RedisClient;
  readonly #state: IndexedState;

  constructor(redis: RedisClient, state: IndexedState) {
    this.#redis = redis;
    this.#state = state;
  }

  /** How many of them are younger than `from` (ms), and when the oldest of these came; records past their retention are gone. */
  async count(queue: QueueName, from: number): Promise<{ readonly count: number; readonly oldestAt: number | null }> {
    const key = indexKey(queue, this.#state);
    const [count, [, at]] = await Promise.all([
      this.#redis.zcount(key, from, "+inf"),
      this.#redis.zrangebyscore(key, from, "+inf", "WITHSCORES", "LIMIT", 0, 1),
    ]);
    return { count, oldestAt: at === undefined ? null : Number(at) };
  }

  /** When the last one came, in ms; null: there is none. */
  async newest(queue: QueueName): Promise<number | null> {
    const [, at] = await this.#redis.zrange(indexKey(queue, this.#state), "0", "0", "REV", "WITHSCORES");
    return at === undefined ? null : Number(at);
  }

  /** Ids of the newest, the newest first. */
  async latest(queue: QueueName, most: number): Promise<string[]> {
    return await this.#redis.zrange(indexKey(queue, this.#state), "0", String(most - 1), "REV");
  }

  /** Those of a time span (ms, both ends included), oldest first. */
  async page(queue: QueueName, from: number, to: number, limit: number): Promise<IndexEntry[]> {
    const flat = await this.#redis.zrangebyscore(
      indexKey(queue, this.#state),
      from,
      to,
      "WITHSCORES",
      "LIMIT",
      0,
      limit,
    );
    return Array.from({ length: flat.length / 2 }, (_, index) => ({
      id: flat[2 * index] ?? "",
      at: Number(flat[2 * index + 1]),
    }));
  }

  /** Entries whose records are gone. */
  async forget(queue: QueueName, ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.#redis.zrem(indexKey(queue, this.#state), ...ids);
  }

  /** Deletes a failed job for good: its record, its entry, and what leads to it. False: it is not failed any more. */
  async drop(queue: QueueName, { id, attempts }: JobRecord, entry: AuditEntry): Promise<boolean> {
    const references = attempts.map(({ client_ref_id }) => referenceKey(queue, client_ref_id));
    const keys = [recordKey(queue, id), indexKey(queue, "failed"), ...references];
    const dropped = await DROP.run(this.#redis, keys, { id, prefix: queuePrefix(queue), entry: auditText(entry) });
    if (dropped === 1) await this.#redis.del(claimKey(id));
    return dropped === 1;
  }
}

function indexKey(queue: QueueName, state: IndexedState): string {
  return `${queuePrefix(queue)}${state}`;
}
