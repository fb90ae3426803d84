import { once } from "node:events";
import { describe, expect, it, vi } from "vitest";
import { RedisAccess } from "../../../src/redis/access.ts";
import { RedisPair } from "../../../src/redis/pair.ts";
import { Secret } from "../../../src/secrets/secret.ts";
import { readTestEnv } from "../../support/env.ts";
import { startTestRedis } from "../../support/redis.ts";

interface Urls {
  readonly redisUrl: Secret | null;
  readonly keysRedisUrl: Secret | null;
}

const { machine } = readTestEnv();
const open = async (settings: Urls): Promise<RedisAccess> =>
  await RedisAccess.open({ settings, stateDir: "/nowhere", machine, onError: () => {} });

describe("the Redis of the jobs and that of the data keys", () => {
  it("are one, opened once and with one connection, where the keys have none of their own", async () => {
    await using server = await startTestRedis();
    await using pair = await RedisPair.open({ redisUrl: new Secret(server.url), keysRedisUrl: null }, open);
    expect(pair.areApart).toBe(false);
    expect(pair.keys).toBe(pair.jobs);
    const { redis, keysRedis } = pair.connect("client");
    expect(keysRedis).toBe(redis);
  });

  it("are two, each with its own connections, where the keys have one of their own; both close", async () => {
    await using jobs = await startTestRedis();
    await using keys = await startTestRedis();
    const pair = await RedisPair.open({ redisUrl: new Secret(jobs.url), keysRedisUrl: new Secret(keys.url) }, open);
    expect(pair.areApart).toBe(true);
    const { redis, keysRedis } = pair.connect("worker");
    await Promise.all([redis.set("where", "jobs"), keysRedis.set("where", "keys")]);
    expect([await jobs.client().get("where"), await keys.client().get("where")]).toEqual(["jobs", "keys"]);
    const ended = Promise.all([once(redis, "end"), once(keysRedis, "end")]);
    await pair.close();
    await ended;
  });

  it("leave nothing open where that of the keys cannot be opened", async () => {
    await using server = await startTestRedis();
    const closed: string[] = [];
    const openOnce = async (of: Urls): Promise<RedisAccess> => {
      if (of.redisUrl === urls.keysRedisUrl) throw new Error("no such Redis");
      const access = await open(of);
      vi.spyOn(access, "close").mockImplementation(async () => await Promise.resolve(void closed.push("jobs")));
      return access;
    };
    const urls = { redisUrl: new Secret(server.url), keysRedisUrl: new Secret(server.url) };
    await expect(RedisPair.open(urls, openOnce)).rejects.toThrow("no such Redis");
    expect(closed).toEqual(["jobs"]);
  });
});
