import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../src/error.ts";
import { assertSuitable, checkRedis, type RedisFacts, redisWarnings } from "../../../src/queues/redis-facts.ts";
import { startTestRedis } from "../../support/redis.ts";

const good: RedisFacts = { server: "redis", version: "7.0.15", maxmemoryPolicy: "noeviction", aof: true };

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
    });
    await admin.call("ACL", "SETUSER", "app", "-config");
    const facts = await checkRedis(client);
    expect(facts).toEqual({ server: "unknown", version: "unknown", maxmemoryPolicy: "unknown", aof: "unknown" });
    assertSuitable(facts);
    expect(redisWarnings(facts)).toHaveLength(3);
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
