import { expect } from "vitest";
import { ready, type RedisClient } from "../../src/redis/connection.ts";

/** However long it takes: `ready` gives up after 2.5 s, and a busy machine is longer at it, the more so for three nodes of a Cluster. */
export async function connected(redis: RedisClient): Promise<void> {
  await expect.poll(async () => await ready(redis).then(() => "ready", String)).toBe("ready");
}
