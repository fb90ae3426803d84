import { type AuditEntry, auditText } from "../privacy/audit/entry.ts";
import { AUDIT } from "../privacy/audit/outbox.ts";
import type { RedisClient } from "../redis/connection.ts";
import { claimKey, queuePrefix, type QueueName, recordKey, referenceKey } from "../queues/names.ts";
import { LuaScript } from "../redis/script.ts";
import type { JobRecord } from "./record.ts";

/** A job in the index. `at`: when it failed, ms. */
export interface FailedEntry {
  readonly id: string;
  readonly at: number;
}

export const DROP = new LuaScript(new URL("drop-failed.lua", import.meta.url), {
  needs: [AUDIT],
  args: { id: "text", prefix: "text", entry: "text" },
});

/** The jobs that failed, by the time they did: a sorted set per queue, which the records' scripts write. */
export class FailedIndex {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /** When the last one failed, in ms; null: there is none. */
  async newest(queue: QueueName): Promise<number | null> {
    const [, at] = await this.#redis.zrange(indexKey(queue), "0", "0", "REV", "WITHSCORES");
    return at === undefined ? null : Number(at);
  }

  /** Those of a time span (ms, both ends included), oldest first. */
  async page(queue: QueueName, from: number, to: number, limit: number): Promise<FailedEntry[]> {
    const flat = await this.#redis.zrangebyscore(indexKey(queue), from, to, "WITHSCORES", "LIMIT", 0, limit);
    return Array.from({ length: flat.length / 2 }, (_, index) => ({
      id: flat[2 * index] ?? "",
      at: Number(flat[2 * index + 1]),
    }));
  }

  /** Entries whose records are gone. */
  async forget(queue: QueueName, ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.#redis.zrem(indexKey(queue), ...ids);
  }

  /** Deletes a failed job for good: its record, its entry, and what leads to it. False: it is not failed any more. */
  async drop(queue: QueueName, { id, attempts }: JobRecord, entry: AuditEntry): Promise<boolean> {
    const references = attempts.map(({ client_ref_id }) => referenceKey(queue, client_ref_id));
    const keys = [recordKey(queue, id), indexKey(queue), ...references];
    const dropped = await DROP.run(this.#redis, keys, { id, prefix: queuePrefix(queue), entry: auditText(entry) });
    if (dropped === 1) await this.#redis.del(claimKey(id));
    return dropped === 1;
  }
}

function indexKey(queue: QueueName): string {
  return `${queuePrefix(queue)}failed`;
}
