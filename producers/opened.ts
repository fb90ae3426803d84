import type { DataKeys } from "../src/privacy/data-keys.ts";
import type { RedisAccess } from "../src/queues/redis-access.ts";
import type { RedisClient } from "../src/queues/connection.ts";
import type { RecordStore } from "../src/records/record-store.ts";
import type { JobQueues } from "./job-queues.ts";
import type { SettledListener } from "./settled-listener.ts";

/** What a client has once it is connected. */
export interface Opened {
  readonly access: RedisAccess;
  /** Of the keys' Redis, where it is another. */
  readonly keysAccess: RedisAccess | null;
  readonly redis: RedisClient;
  readonly records: RecordStore;
  readonly queues: JobQueues;
  readonly listener: SettledListener;
  readonly dataKeys: DataKeys;
}

/** Connects at first use and runs `work`; what goes wrong in Redis comes out as SatyapanError. */
export type UseRedis = <T>(work: (opened: Opened) => Promise<T>) => Promise<T>;
