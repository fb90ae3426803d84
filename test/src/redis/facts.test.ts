import { Cluster } from "ioredis";
import { describe, expect, it, vi } from "vitest";
import { ErrorCode } from "../../../src/base/error.ts";
import { closeRedis, connectRedis } from "../../../src/redis/connection.ts";
import { assertSuitable, checkRedis, type RedisFacts, redisWarnings } from "../../../src/redis/facts.ts";
import { parseRedisUrl } from "../../../src/redis/url.ts";
import { connected } from "../../support/connected.ts";
import { freePort } from "../../support/free-port.ts";
import { startTestCluster } from "../../support/redis-cluster.ts";
import { startTestRedis } from "../../support/redis.ts";

const good: RedisFacts = {
  ...{ server: "redis", version: "7.0.15", maxmemoryPolicy: "noeviction", aof: true, replicas: "none" },
};

describe("what a Redis says of itself", () => {
  it("is enough, without a warning, for one that is configured as it should be", async () => {
    await using server = await startTestRedis();
    const facts = await checkRedis(server.client());
    expect(facts).toEqual({
      ...good,
      server: facts.server,
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
    });
    assertSuitable(facts);
    expect(redisWarnings(facts)).toEqual([]);
  });

  it("is the policy and the AOF that it has now", async () => {
    await using server = await startTestRedis();
    const client = server.client();
    await client.call("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
    await client.call("CONFIG", "SET", "appendonly", "no");
    expect(await checkRedis(client)).toMatchObject({ maxmemoryPolicy: "allkeys-lru", aof: false });
  });

  it("is the policy by CONFIG where INFO is forbidden, and nothing where both are", async () => {
    await using server = await startTestRedis();
    const admin = server.client();
    await admin.call("ACL", "SETUSER", "app", "on", ">app-password", "~*", "+@all", "-info");
    const client = server.client({ username: "app", password: "app-password", enableReadyCheck: false });
    expect(await checkRedis(client)).toEqual({
      server: "unknown",
      version: "unknown",
      maxmemoryPolicy: "noeviction",
      aof: "unknown",
      replicas: "unknown",
    });
    await admin.call("ACL", "SETUSER", "app", "-config");
    const facts = await checkRedis(client);
    const unknown = { maxmemoryPolicy: "unknown", aof: "unknown", replicas: "unknown" };
    expect(facts).toEqual({ server: "unknown", version: "unknown", ...unknown });
    assertSuitable(facts);
    expect(redisWarnings(facts)).toHaveLength(3);
  });

  it("is asked again where the connection to one of a Cluster's nodes is lost", async () => {
    await using cluster = await startTestCluster();
    const redis = connectRedis(parseRedisUrl(cluster.url), "client", () => {});
    await using _ = { [Symbol.asyncDispose]: async () => await closeRedis(redis) };
    await connected(redis);
    if (!(redis instanceof Cluster)) throw new TypeError("not a cluster");
    redis.nodes("master")[0]?.disconnect();
    expect(await checkRedis(redis)).toMatchObject({ maxmemoryPolicy: "noeviction", aof: true });
  });

  it("is whether it takes writes that no replica has, and what a split can cost then", async () => {
    await using server = await startTestRedis();
    await using follower = await startTestRedis();
    const client = server.client();
    // They listen on sockets alone: a port for the follower to find.
    const port = await freePort();
    await client.call("CONFIG", "SET", "port", port);
    await follower.client().replicaof("127.0.0.1", port);
    await vi.waitFor(async () => expect(await client.info("replication")).toContain("connected_slaves:1"), 10_000);
    const split = await checkRedis(client);
    expect(split.replicas).toBe("optional");
    expect(redisWarnings(split)).toEqual([expect.stringMatching(/no journal knows.*min-replicas-to-write 1/)]);
    await client.call("CONFIG", "SET", "min-replicas-to-write", "1");
    const guarded = await checkRedis(client);
    expect(guarded.replicas).toBe("required");
    expect(redisWarnings(guarded)).toEqual([]);
  });
});

describe("a Redis", () => {
  it.each<[Partial<RedisFacts>, RegExp]>([
    [{ version: "6.0.16" }, /is version 6\.0\.16: use 6\.2 or newer/],
    [{ version: "5.0.0" }, /is version 5\.0\.0/],
    [{ maxmemoryPolicy: "allkeys-lru" }, /maxmemory-policy allkeys-lru .* set maxmemory-policy noeviction/],
    [{ maxmemoryPolicy: "volatile-lru" }, /would throw jobs away/],
  ])("with %j is refused", (difference, because) => {
    expect(() => assertSuitable({ ...good, ...difference })).toThrow(
      expect.objectContaining({ code: ErrorCode.REDIS_UNSUITABLE, message: expect.stringMatching(because) as string }),
    );
  });

  it.each<Partial<RedisFacts>>([
    { version: "6.2.0" },
    { version: "10.0.1" },
    { server: "valkey", version: "8.1.0" },
    { aof: false },
  ])("with %j is taken", (difference) => {
    assertSuitable({ ...good, ...difference });
  });

  it("without AOF is warned of", () => {
    expect(redisWarnings({ ...good, aof: false })).toEqual([expect.stringContaining("set appendonly yes")]);
  });
});
