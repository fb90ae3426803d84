import { SCRIPTS } from "../../lint/lua-scripts.ts";
import { closeRedis, connectRedis, type RedisClient } from "../../src/redis/connection.ts";
import { foldedSource } from "../../src/redis/lua-source.ts";
import { parseRedisUrl } from "../../src/redis/url.ts";
import { connected } from "./connected.ts";
import { cuttingProxy } from "./cutting-proxy.ts";
import type { TestRedis } from "./redis.ts";

/** What `work` comes to where the first command that holds this is carried out, loses its answer with its connection, and is sent again. */
export async function sentTwice<T>(
  redis: TestRedis,
  what: RegExp,
  work: (client: RedisClient) => Promise<T>,
): Promise<T> {
  // A script that Redis does not know is not carried out.
  for (const { sent } of Object.values(SCRIPTS)) await redis.client().script("LOAD", foldedSource(sent));
  await using proxy = await cuttingProxy(redis, { from: what, to: what });
  const client = connectRedis(parseRedisUrl(proxy.url), "client", () => {});
  try {
    await connected(client);
    proxy.arm();
    const [answer] = await Promise.all([work(client), proxy.cut]);
    return answer;
  } finally {
    await closeRedis(client);
  }
}
