import { Cluster } from "ioredis";
import type { RedisClient } from "../../src/redis/connection.ts";
import { recordKey, QUEUES, type QueueName } from "../../src/queues/names.ts";
import { LuaScript } from "../../src/redis/script.ts";
import { isNoRecord } from "../../src/records/no-record.ts";
import { SEALED_FIELDS, type SealedField } from "../../src/records/resealed.ts";
import { unpackJob } from "../../src/records/stored-job.ts";
import type { JobState } from "../../src/outcomes/state.ts";
import type { PassOptions } from "./key-deps.ts";

/** The sealed fields of a record, and what they are bound to. */
export interface SealedRecord {
  readonly queue: QueueName;
  readonly id: string;
  readonly operation: string;
  readonly state: JobState;
  readonly texts: readonly { readonly field: SealedField; readonly text: string }[];
}

/** Keys asked for at once: some milliseconds of Redis' time. */
const SCAN_COUNT = 500;
const FIELDS = ["job", "state", ...SEALED_FIELDS] as const;

export const REPLACE = new LuaScript(new URL("replace-field.lua", import.meta.url), {
  args: { field: "text", old: "text", new: "text" },
});

/** The records of all jobs, as far as they are sealed: read and sealed anew beside running workers. */
export class SealedRecords {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /**
   * Every record that is there from beginning to end is in one of the pages; some come twice. What is asked of Redis at once
   * is small, so that workers go on.
   */
  async *pages({ signal, onProgress }: PassOptions = {}): AsyncGenerator<SealedRecord[], void, void> {
    const nodes = this.#redis instanceof Cluster ? this.#redis.nodes("master") : [this.#redis];
    const sizes = await Promise.all(nodes.map(async (node) => await node.dbsize()));
    const total = sizes.reduce((sum, size) => sum + size, 0);
    let looked = 0;
    for (const [index, node] of nodes.entries()) {
      let cursor = "0";
      const before = looked;
      do {
        if (signal?.aborted === true) return;
        const [next, keys] = await node.scan(cursor, "MATCH", recordKey("*" as QueueName, "*"), "COUNT", SCAN_COUNT);
        cursor = next;
        looked = Math.min(looked + SCAN_COUNT, before + (sizes[index] ?? 0));
        yield await this.#read(keys);
        onProgress?.(looked, total);
      } while (cursor !== "0");
      looked = before + (sizes[index] ?? 0);
    }
    onProgress?.(total, total);
  }

  async get(queue: QueueName, id: string): Promise<SealedRecord | null> {
    return (await this.#read([recordKey(queue, id)]))[0] ?? null;
  }

  /** False: it is not as it was read any more. */
  async replace({ queue, id }: SealedRecord, field: SealedField, old: string, text: string): Promise<boolean> {
    return (await REPLACE.run(this.#redis, [recordKey(queue, id)], { field, old, new: text })) === 1;
  }

  /** Records are of several slots: in a Cluster each is asked for itself. */
  async #read(keys: readonly string[]): Promise<SealedRecord[]> {
    const found = await Promise.all(keys.map(async (key) => toRecord(key, await this.#fields(key))));
    return found.flatMap((record) => record ?? []);
  }

  /** None of what is no record. */
  async #fields(key: string): Promise<readonly (string | null)[]> {
    try {
      return await this.#redis.hmget(key, ...FIELDS);
    } catch (error) {
      if (isNoRecord(error)) return [];
      throw error;
    }
  }
}

function toRecord(key: string, [job, state, ...texts]: readonly (string | null)[]): SealedRecord | null {
  const queue = QUEUES.find((name) => key.startsWith(recordKey(name, "")));
  if (queue === undefined || typeof job !== "string") return null;
  return {
    queue,
    id: key.slice(recordKey(queue, "").length),
    operation: unpackJob(job).operation,
    state: state as JobState,
    texts: SEALED_FIELDS.flatMap((field, index) => {
      const text = texts[index] ?? null;
      return text === null ? [] : [{ field, text }];
    }),
  };
}
