import type { Redis } from "ioredis";
import { closeRedis, connectRedis, type RedisClient } from "../../src/redis/connection.ts";
import { parseRedisUrl } from "../../src/redis/url.ts";
import { connected } from "./connected.ts";
import type { TestRedis } from "./redis.ts";
import { socketProxy } from "./socket-proxy.ts";

interface Meanwhile extends AsyncDisposable {
  readonly client: RedisClient;
}

/**
 * A connection of which the first command that holds this reaches Redis only once `work` is done there: between two looks of one reader.
 * `after`: the first behind one that holds that. Default: of all.
 */
export async function meanwhile(
  redis: TestRedis,
  what: RegExp,
  work: (other: Redis) => Promise<unknown>,
  after = /(?:)/,
): Promise<Meanwhile> {
  let [isBegun, isOver] = [false, false];
  const proxy = await socketProxy(redis, (client, upstream) => {
    upstream.pipe(client);
    client.on("data", (chunk) => {
      const text = chunk.toString("latin1");
      isBegun ||= after.test(text);
      const isIt = isBegun && !isOver && what.test(text);
      if (!isIt) return void upstream.write(chunk);
      isOver = true;
      const passOn = async (): Promise<void> => {
        client.pause();
        await work(redis.client());
        upstream.write(chunk);
        client.resume();
      };
      return void passOn();
    });
  });
  const client = connectRedis(parseRedisUrl(proxy.url), "client", () => {});
  await connected(client);
  return {
    client,
    [Symbol.asyncDispose]: async () => {
      await closeRedis(client);
      await proxy[Symbol.asyncDispose]();
    },
  };
}
