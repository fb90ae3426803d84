import type { KeyChain } from "../../src/privacy/keys/key-chain.ts";
import type { RedisClient } from "../../src/redis/connection.ts";

/** What looking after the keys needs, once it is connected. */
export interface KeyDeps extends KeyChain {
  /** Where the jobs are. */
  readonly redis: RedisClient;
  /** Where the data keys are: the same, or that of KEYS_REDIS_URL. */
  readonly keysRedis: RedisClient;
  /** Ids of the keys of the ring, that which seals first; empty where a service has them all. */
  readonly ringKeys: readonly string[];
  /** The name of the user in the audit log. */
  readonly actor: string;
  readonly now: () => number;
  /** Resolves early when it is aborted. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** Connects at first use and runs `work`; what goes wrong in Redis comes out as SatyapanError. */
export type UseKeys = <T>(work: (deps: KeyDeps) => Promise<T>) => Promise<T>;

/** For work that goes through all records. */
export interface PassOptions {
  /** Aborted, it ends the work between two records; the same command goes on with the others. */
  readonly signal?: AbortSignal | undefined;
  /** Called now and then with how many records were looked at, of about how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}
