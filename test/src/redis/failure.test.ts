import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../src/base/error.ts";
import { RedisAccess } from "../../../src/redis/access.ts";
import { assertSuitable, checkRedis, ready, type RedisClient } from "../../../src/redis/connection.ts";
import { redisFailure } from "../../../src/redis/failure.ts";
import { RedisPair } from "../../../src/redis/pair.ts";
import { Secret } from "../../../src/secrets/secret.ts";
import { readTestEnv } from "../../support/env.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";

const { machine } = readTestEnv();

async function startPair() {
  const stack = new AsyncDisposableStack();
  const jobs = stack.use(await startTestRedis());
  const keys = stack.use(await startTestRedis());
  const heard: string[] = [];
  const onError = (error: Error): void => void heard.push(error.message);
  const pair = stack.use(
    await RedisPair.open(
      { redisUrl: new Secret(jobs.url), keysRedisUrl: new Secret(keys.url) },
      async (settings) => await RedisAccess.open({ settings, stateDir: "/nowhere", machine, onError }),
    ),
  );
  const clients = pair.connect("client");
  await Promise.all([ready(clients.redis), ready(clients.keysRedis)]);
  return { jobs, keys, heard, ...clients, [Symbol.asyncDispose]: async () => await stack.disposeAsync() };
}

/** What is said when a command to it fails, by somebody who holds the jobs' Redis responsible. */
async function said(redis: RedisClient, blamed: RedisClient): Promise<unknown> {
  return await redis.set("key", "value").then(
    () => "nothing",
    async (error: unknown) => await redisFailure(error, blamed),
  );
}

async function refuseWrites(server: TestRedis): Promise<void> {
  await server.client().call("ACL", "SETUSER", "default", "-set");
}

describe("errors where the data keys have a Redis of their own", () => {
  it("name KEYS_REDIS_URL where that one refuses, and REDIS_URL where that of the jobs does", async () => {
    await using pair = await startPair();
    const { jobs, keys, redis, keysRedis } = pair;
    await Promise.all([refuseWrites(jobs), refuseWrites(keys)]);
    const role = "may not do that: use one whose role may (docs/deployment.md tells the roles)";
    expect(await said(keysRedis, redis)).toMatchObject({
      code: ErrorCode.REDIS_UNSUITABLE,
      message: `the Redis of KEYS_REDIS_URL refused a command (NOPERM): the user in KEYS_REDIS_URL ${role}`,
    });
    expect(await said(redis, redis)).toMatchObject({
      message: `Redis refused a command (NOPERM): the user in REDIS_URL ${role}`,
    });
  });

  it("say that the keys' Redis is away, where it goes away midway, though the jobs' is there", async () => {
    await using pair = await startPair();
    const { keys, redis, keysRedis, heard } = pair;
    await keys.stop();
    const away = /^Redis at \S+ cannot be reached: .+\. Start it, (?:or|if).* KEYS_REDIS_URL/;
    await expect
      .poll(async () => await said(keysRedis, redis))
      .toMatchObject({ code: ErrorCode.REDIS_UNREACHABLE, message: expect.stringMatching(away) as string });
    await expect.poll(() => heard.at(-1)).toMatch(/set KEYS_REDIS_URL to one that runs\.$/);
    expect(await said(redis, redis)).toBe("nothing");
  });

  it("name it where it would throw keys away", async () => {
    await using pair = await startPair();
    await pair.keys.client().config("SET", "maxmemory-policy", "allkeys-lru");
    const facts = await checkRedis(pair.keysRedis);
    expect(() => assertSuitable(facts, "KEYS_REDIS_URL")).toThrow(
      /^the Redis of KEYS_REDIS_URL has maxmemory-policy allkeys-lru/,
    );
    expect(() => assertSuitable(facts)).toThrow(/^Redis has maxmemory-policy allkeys-lru/);
  });
});
