import { setTimeout as wait } from "node:timers/promises";
import type { Settings } from "../../src/config/settings.ts";
import { openKeyChain } from "../../src/privacy/keys/key-chain.ts";
import type { RedisClient } from "../../src/redis/connection.ts";
import type { KeyDeps } from "./key-deps.ts";

/** What the keys' own work needs, from connections: `keysRedis` is `redis` where KEYS_REDIS_URL is unset. */
export function connectKeys(
  redis: RedisClient,
  keysRedis: RedisClient,
  settings: Pick<Settings, "keys" | "keyService">,
  now: () => number,
  actor: string,
): KeyDeps {
  const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    await wait(ms, undefined, { signal }).catch(() => {});
  };
  const ringKeys = settings.keys?.ids ?? [];
  return { ...openKeyChain(keysRedis, settings, now), redis, keysRedis, ringKeys, actor, now, sleep };
}
