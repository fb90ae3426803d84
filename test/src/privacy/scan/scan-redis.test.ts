import { zstdCompressSync } from "node:zlib";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Finding } from "../../../../src/secrets/found.ts";
import { Needles } from "../../../../src/privacy/scan/needles.ts";
import { RedisScan } from "../../../../src/privacy/scan/scan-redis.ts";
import { Scanner } from "../../../../src/privacy/scan/scanner.ts";
import { closeRedis, connectRedis } from "../../../../src/redis/connection.ts";
import { parseRedisUrl } from "../../../../src/redis/url.ts";
import { connected } from "../../../support/connected.ts";
import { startTestCluster } from "../../../support/redis-cluster.ts";
import { startTestRedis, type TestRedis } from "../../../support/redis.ts";
import { Lived } from "../../../support/lived.ts";

/** Made up: no real person's. */
const NUMBER = "234123412346";
const SCANNER = new Scanner(new Needles([{ kind: "secret", name: "eko.accessKey", value: "planted-access-key" }]));
const NO_LIMIT = 1e9;

let server: TestRedis;
let redis: Redis;
beforeAll(async () => {
  server = await startTestRedis({ plants: "to be found by the scan" });
  redis = server.client();
});
afterAll(async () => await server.stop());
beforeEach(async () => void (await redis.flushall()));

async function scan(perSecond = NO_LIMIT): Promise<{ readonly findings: Finding[]; readonly scan: RedisScan }> {
  const findings: Finding[] = [];
  const one = new RedisScan({ redis, scanner: SCANNER, onFinding: (finding) => findings.push(finding) });
  await one.all(perSecond);
  return { findings, scan: one };
}

async function places(): Promise<string[]> {
  const { findings } = await scan();
  expect(JSON.stringify(findings)).not.toContain(NUMBER);
  return findings.map(({ place }) => place).toSorted();
}

/** As much of everything as a page has, and more. */
const MANY = 1_700;
const filler = (prefix: string): string[] => Array.from({ length: MANY }, (_, n) => `${prefix}-${n}`);

describe("a number planted in Redis is found", () => {
  const plants: Readonly<Record<string, readonly [plant: () => Promise<unknown>, place: string]>> = {
    "in a string": [async () => await redis.set("key", `a ${NUMBER}`), "key"],
    "in a string that is a number": [async () => await redis.set("key", NUMBER), "key"],
    "at the seam of a long string": [
      async () => await redis.set("key", "x ".repeat((1 << 15) - 3) + NUMBER + " x".repeat(1 << 16)),
      "key from byte 61440",
    ],
    "in a list": [async () => await redis.rpush("key", "a", NUMBER, "b"), "key [1]"],
    "at the end of a long list": [async () => await redis.rpush("key", ...filler("item"), NUMBER), `key [${MANY}]`],
    "in a set of numbers": [async () => await redis.sadd("key", "1", NUMBER), "key member"],
    "in a large set": [async () => await redis.sadd("key", ...filler("member"), NUMBER), "key member"],
    "as a member of a sorted set": [async () => await redis.zadd("key", 1, NUMBER), "key a field's name"],
    "as a score": [async () => await redis.zadd("key", NUMBER, "member"), "key field member"],
    "in a large sorted set": [
      async () => await redis.zadd("key", ...filler("member").flatMap((member) => [1, member]), 2, NUMBER),
      "key a field's name",
    ],
    "in a hash": [async () => await redis.hset("key", "input", `{"aadhaar":"${NUMBER}"}`), "key field input"],
    "in a large hash": [
      async () => await redis.hset("key", ...filler("field").flatMap((field) => [field, "x"]), "input", NUMBER),
      "key field input",
    ],
    "in a stream": [async () => await redis.xadd("key", "1-1", "data", NUMBER), "key entry 1-1 field data"],
    "in a compressed block of a stream": [
      async () => await redis.xadd("key", "1-1", "z", zstdCompressSync(`{"reason":"${NUMBER}"}`)),
      "key entry 1-1 field z",
    ],
    "as a field of a stream": [async () => await redis.xadd("key", "1-1", NUMBER, "x"), "key entry 1-1 a field's name"],
    "in the name of a group": [
      async () => await redis.xgroup("CREATE", "key", NUMBER, "$", "MKSTREAM"),
      "key a group's name",
    ],
  };

  it.each(Object.entries(plants))("%s", async (_, [plant, place]) => {
    await plant();
    expect(await places()).toEqual([place]);
  });

  it("in the name of a key, which is masked in every place", async () => {
    await redis.hset(`job:${NUMBER}`, "also", NUMBER);
    const name = "job:XXXX XXXX 2346";
    expect(await places()).toEqual([`${name} field also`, `the name of the key ${name}`]);
  });

  it("in the name of a field", async () => {
    await redis.hset("key", NUMBER, "x");
    expect(await places()).toEqual(["key a field's name"]);
  });

  it("in the names of consumers, of all groups", async () => {
    await redis.xgroup("CREATE", "key", "one", "$", "MKSTREAM");
    await redis.xgroup("CREATE", "key", "two", "$");
    await redis.xgroup("CREATECONSUMER", "key", "one", "harmless");
    await redis.xgroup("CREATECONSUMER", "key", "two", NUMBER);
    expect(await places()).toEqual(["key a consumer's name"]);
  });

  it("at the end of a long stream", async () => {
    const pipeline = redis.pipeline();
    for (let n = 1; n <= MANY; n++) pipeline.xadd("key", `${n}-0`, "data", `x${n}`);
    await pipeline.exec();
    await redis.xadd("key", "9999-0", "data", NUMBER);
    expect(await places()).toEqual(["key entry 9999-0 field data"]);
  });

  it("among bytes that are no text", async () => {
    await redis.set("key", Buffer.concat([Buffer.from([0, 255, 128]), Buffer.from(NUMBER), Buffer.from([255, 0])]));
    expect(await places()).toEqual(["key"]);
  });

  it("and so is a secret, by its name and without its value", async () => {
    await redis.hset("key", "basic", Buffer.from("user:planted-access-key").toString("base64"));
    const { findings } = await scan();
    expect(findings).toEqual([
      { source: "redis", place: "key field basic", kind: "secret", what: "eko.accessKey in base64", shown: "********" },
    ]);
  });
});

describe("a scan of Redis", () => {
  it("finds nothing where nothing was planted, and says what it looked through", async () => {
    await redis.mset(Object.fromEntries(filler("key").map((key) => [key, "123456789012"])));
    const { findings, scan: done } = await scan();
    expect(findings).toEqual([]);
    expect(done.counts).toMatchObject({ keys: MANY, unreadable: {} });
    expect(done.counts.bytes).toBeGreaterThan(MANY * 12);
  });

  it("keeps to its rate", async () => {
    await redis.mset(Object.fromEntries(filler("key").map((key) => [key, "x"])));
    const started = performance.now();
    await scan(MANY / 2);
    const took = performance.now() - started;
    expect(took).toBeGreaterThan(1_600);
    using again = new Lived();
    await scan();
    expect(again.ms).toBeLessThan(took);
  });

  it("ends when it is told to", async () => {
    await redis.mset(Object.fromEntries(filler("key").map((key) => [key, "x"])));
    const stop = new AbortController();
    const one = new RedisScan({ redis, scanner: SCANNER, onFinding: () => {} });
    const ended = one.all(1, stop.signal);
    await expect.poll(() => one.counts.keys).toBeGreaterThan(0);
    stop.abort();
    await ended;
    expect(one.counts.keys).toBeLessThan(MANY);
  });

  it("reads, and changes nothing", async () => {
    await redis.set("volatile", "x", "PX", 600_000);
    await redis.hset("hash", "field", NUMBER);
    const before = await redis.info("commandstats");
    await scan();
    const calls = (info: string): string[] => info.match(/cmdstat_\S+?(?=:)/g) ?? [];
    const used = calls(await redis.info("commandstats")).filter((name) => !calls(before).includes(name));
    const allowed = ["scan", "type", "getrange", "hscan", "sscan", "zscan", "lrange", "xrange", "xinfo", "info"];
    for (const name of used)
      expect(
        allowed.some((command) => name.startsWith(`cmdstat_${command}`)),
        name,
      ).toBe(true);
    expect(await redis.dbsize()).toBe(2);
  });

  it("counts what its user may not read, and reads the rest", async () => {
    await redis.set("ours", NUMBER);
    await redis.set("theirs", NUMBER);
    await redis.xgroup("CREATE", "ours-too", "group", "$", "MKSTREAM");
    await redis.call("ACL", "SETUSER", "scanner", "on", ">a-password", "~ours*", "+@all", "-xinfo");
    const findings: Finding[] = [];
    const limited = server.client({ username: "scanner", password: "a-password" });
    const one = new RedisScan({ redis: limited, scanner: SCANNER, onFinding: (finding) => findings.push(finding) });
    await one.all(NO_LIMIT);
    expect(findings.map(({ place }) => place)).toEqual(["ours"]);
    expect(one.counts).toMatchObject({ keys: 3, unreadable: { "not permitted": 2 } });
  });

  it("goes on beside work that adds, changes and deletes keys", async () => {
    await redis.set("planted", NUMBER);
    const stop = new AbortController();
    const work = async (): Promise<void> => {
      const other = server.client();
      for (let n = 0; !stop.signal.aborted; n = (n + 1) % 500) {
        await other
          .multi()
          .del(`busy-${n}`)
          .hset(`busy-${n}`, "a", "b")
          .del(`busy-${n + 1}`)
          .rpush(`busy-${n + 1}`, "x")
          .exec();
      }
    };
    const working = work();
    try {
      for (let times = 0; times < 5; times++) {
        const { findings } = await scan();
        expect(new Set(findings.map(({ place }) => place))).toEqual(new Set(["planted"]));
      }
    } finally {
      stop.abort();
      await working;
    }
  });
});

describe("a scan of a Cluster", () => {
  it("looks through all of its masters", async () => {
    await using nodes = await startTestCluster();
    const cluster = connectRedis(parseRedisUrl(nodes.url), "client", () => {});
    await connected(cluster);
    for (let n = 0; n < 60; n++) await cluster.set(`key-${n}`, n % 20 === 0 ? NUMBER : "x");
    const findings: Finding[] = [];
    const one = new RedisScan({ redis: cluster, scanner: SCANNER, onFinding: (finding) => findings.push(finding) });
    await one.all(NO_LIMIT);
    await closeRedis(cluster);
    expect(findings.map(({ place }) => place).toSorted()).toEqual(["key-0", "key-20", "key-40"]);
    expect(one.counts.keys).toBe(60);
  });
});
