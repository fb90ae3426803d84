import { Cluster } from "ioredis";
import type { RedisClient } from "../../src/redis/connection.ts";
import { recordKey, QUEUES, type QueueName } from "../../src/queues/names.ts";
import { LuaScript } from "../../src/redis/script.ts";
import { onboardingKey } from "../../src/flows/onboarding-store.ts";
import { isNoRecord } from "../../src/records/no-record.ts";
import { SEALED_FIELDS, type SealedField } from "../../src/records/resealed.ts";
import { unpackJob } from "../../src/records/stored-job.ts";
import type { JobState } from "../../src/outcomes/state.ts";
import type { PassOptions } from "./key-deps.ts";

/** The sealed fields of a job's record or of an onboarding, and what they are bound to. */
export interface SealedRecord {
  readonly key: string;
  readonly queue: QueueName;
  readonly id: string;
  /** The operation, or the flow. */
  readonly operation: string;
  /** Of an onboarding: whether it is over, as a job's. */
  readonly state: JobState;
  readonly texts: readonly { readonly field: SealedField; readonly text: string }[];
}

/** Keys asked for at once: some milliseconds of Redis' time. */
const SCAN_COUNT = 500;
/** A packed record says what `job` begins with in `operation`. */
const FIELDS = ["job", "operation", "terms", "state", ...SEALED_FIELDS] as const;

export const REPLACE = new LuaScript(new URL("replace-field.lua", import.meta.url), {
  args: { field: "text", old: "text", new: "text" },
});

/** Both kinds of keys begin so; what else does is left out by `toRecord`. */
const ANY_KEY = recordKey("*" as QueueName, "").replace(/job:$/, "*");

/** The records of all jobs and onboardings, as far as they are sealed: read and sealed anew beside running workers. */
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
        const [next, keys] = await node.scan(cursor, "MATCH", ANY_KEY, "COUNT", SCAN_COUNT);
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
  async replace({ key }: SealedRecord, field: SealedField, old: string, text: string): Promise<boolean> {
    return (await REPLACE.run(this.#redis, [key], { field, old, new: text })) === 1;
  }

  /** Records are of several slots: in a Cluster each is asked for itself. */
  async #read(keys: readonly string[]): Promise<SealedRecord[]> {
    const ours = keys.filter((key) => placeOf(key) !== null);
    const found = await Promise.all(ours.map(async (key) => toRecord(key, await this.#fields(key))));
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

interface KeyPlace {
  readonly queue: QueueName;
  readonly id: string;
}

/** Null: a key of something else. */
function placeOf(key: string): KeyPlace | null {
  for (const queue of QUEUES) {
    for (const begin of [recordKey(queue, ""), onboardingKey(queue, "")]) {
      if (key.startsWith(begin)) return { queue, id: key.slice(begin.length) };
    }
  }
  return null;
}

function toRecord(
  key: string,
  [job, operation, terms, state, ...texts]: readonly (string | null)[],
): SealedRecord | null {
  const place = placeOf(key);
  // An onboarding has both: its `job` names one.
  const words = terms ?? job ?? operation ?? null;
  if (place === null || words === null) return null;
  const isOpen = terms !== null && (state === "running" || state === "awaiting_otp");
  return {
    ...place,
    key,
    operation: unpackJob(words).operation,
    state: terms === null ? (state as JobState) : isOpen ? "queued" : "succeeded",
    texts: SEALED_FIELDS.flatMap((field, index) => {
      const text = texts[index] ?? null;
      return text === null ? [] : [{ field, text }];
    }),
  };
}
