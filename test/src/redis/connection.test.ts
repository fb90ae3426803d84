import { once } from "node:events";
import { createServer } from "node:net";
import { inspect } from "node:util";
import { Cluster } from "ioredis";
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../src/base/error.ts";
import { Secret } from "../../../src/secrets/secret.ts";
import { closeRedis, connectRedis, ready, type RedisClient, type RedisRole } from "../../../src/redis/connection.ts";
import { checkRedis } from "../../../src/redis/facts.ts";
import { parseRedisUrl, type RedisTarget } from "../../../src/redis/url.ts";
import { connected } from "../../support/connected.ts";
import { freePort } from "../../support/free-port.ts";
import { heard } from "../../support/heard.ts";
import { Lived } from "../../support/lived.ts";
import { killingProxy } from "../../support/killing-proxy.ts";
import { LocalServer } from "../../support/local-server.ts";
import { startTestCluster } from "../../support/redis-cluster.ts";
import { startTestSentinel } from "../../support/redis-sentinel.ts";
import { startTestRedis } from "../../support/redis.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

/** It takes a few. */
const PROMPT_MS = 200;

describe("a client's connection", () => {
  it("fails within milliseconds, with the address and the remedy, where nobody listens", async () => {
    const port = await freePort();
    await using client = open({ kind: "standalone", address: { host: "127.0.0.1", port }, tls: false, db: 0 });
    using began = new Lived();
    const failure = ready(client.redis);
    await expect(failure).rejects.toMatchObject({
      code: ErrorCode.REDIS_UNREACHABLE,
      message: `Redis at redis://127.0.0.1:${port}/0 cannot be reached: connect ECONNREFUSED 127.0.0.1:${port}. Start it, or set REDIS_URL to one that runs.`,
    });
    expect(began.ms).toBeLessThan(PROMPT_MS);
    expect(client.errors).toHaveLength(1);
  });

  it("fails within milliseconds while Redis is away, and is back by itself when Redis is", async () => {
    await using server = await startTestRedis();
    await using client = open(parseRedisUrl(server.url));
    await connected(client.redis);
    await client.redis.set("kept", "1");
    const closed = heard(client.redis, "close");
    await server.kill9();
    await closed;
    for (let time = 0; time < 20; time++) {
      using began = new Lived();
      await expect(ready(client.redis)).rejects.toMatchObject({ code: ErrorCode.REDIS_UNREACHABLE });
      await expect(client.redis.get("kept")).rejects.toThrow();
      expect(began.ms).toBeLessThan(PROMPT_MS);
    }
    const back = heard(client.redis, "ready");
    await server.restart();
    await back;
    await ready(client.redis);
    expect(await client.redis.get("kept")).toBe("1");
  });

  it("fails what was under way too where a proxy takes its connections while Redis is away", async () => {
    await using server = await startTestRedis();
    await using proxy = await killingProxy(server, Infinity);
    await using client = open(parseRedisUrl(proxy.url));
    await connected(client.redis);
    await server.client().call("CLIENT", "PAUSE", "60000", "ALL");
    const lost = expect(client.redis.get("kept")).rejects.toThrow("Connection is closed.");
    await server.kill9();
    await lost;
    await server.restart();
  });

  it("recovers too if Redis was away at the first use", async () => {
    await using server = await startTestRedis();
    await server.kill9();
    await using client = open(parseRedisUrl(server.url));
    await expect(ready(client.redis)).rejects.toMatchObject({ code: ErrorCode.REDIS_UNREACHABLE });
    const back = heard(client.redis, "ready");
    await server.restart();
    await back;
    await ready(client.redis);
  });

  it("is connected once by many first uses at the same time", async () => {
    await using server = await startTestRedis();
    await using client = open(parseRedisUrl(server.url));
    await Promise.all(Array.from({ length: 20 }, async () => ready(client.redis)));
    const list = String(await client.redis.call("CLIENT", "LIST"));
    expect(list.match(/name=satyapan-client/g)).toHaveLength(1);
  });

  it("gives up after seconds a server that takes the connection and says nothing, and after that at once", async () => {
    await using mute = await listen();
    await using client = open({
      kind: "standalone",
      address: { host: "127.0.0.1", port: mute.port },
      tls: false,
      db: 0,
    });
    using began = new Lived();
    await expect(ready(client.redis)).rejects.toMatchObject({
      code: ErrorCode.REDIS_UNREACHABLE,
      // Not that it was closed, which we did ourselves.
      message: expect.stringContaining(
        "cannot be reached: no answer; it may be loading its data, busy or frozen.",
      ) as unknown,
    });
    expect(began.ms).toBeLessThan(3_000);
    using again = new Lived();
    await expect(ready(client.redis)).rejects.toMatchObject({ code: ErrorCode.REDIS_UNREACHABLE });
    expect(again.ms).toBeLessThan(PROMPT_MS);
  });

  it.each(["standalone", "cluster"] as const)(
    "names a wrong password (%s) as the fault, not the password",
    async (kind) => {
      await using dir = await makeTempDir();
      const port = await freePort();
      const args = ["--port", String(port), "--bind", "127.0.0.1", "--requirepass", "right-password"];
      await using server = await LocalServer.create(dir.path, args);
      await server.start();
      const address = { host: "127.0.0.1", port };
      const login = { password: new Secret("wrong-password"), tls: false };
      await using client = open(
        kind === "cluster" ? { kind, nodes: [address], ...login } : { kind, address, db: 0, ...login },
      );
      const seen: unknown[] = [];
      client.redis.on("error", (error) => seen.push(error));
      const failure = await ready(client.redis).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: ErrorCode.REDIS_UNREACHABLE });
      expect(String(failure)).toContain("Correct the user and password in REDIS_URL.");
      expect(seen).not.toHaveLength(0);
      expect(inspect([failure, client.errors, seen], { depth: 9, showHidden: true })).not.toContain("wrong-password");
    },
  );

  it("cannot be made ready again once it is closed", async () => {
    await using server = await startTestRedis();
    await using client = open(parseRedisUrl(server.url));
    await connected(client.redis);
    const ended = heard(client.redis, "end");
    await closeRedis(client.redis);
    await ended;
    await expect(ready(client.redis)).rejects.toMatchObject({ code: ErrorCode.CLOSED });
    await closeRedis(client.redis);
  });
});

describe("a worker's connection", () => {
  it("keeps a command until Redis is back", async () => {
    await using server = await startTestRedis();
    await using worker = open(parseRedisUrl(server.url), "worker");
    await connected(worker.redis);
    const closed = heard(worker.redis, "close");
    await server.kill9();
    await closed;
    const written = worker.redis.set("late", "1");
    await server.restart();
    await expect(written).resolves.toBe("OK");
  });

  it("is made again where a proxy took the last one for a Redis that was away", async () => {
    await using mute = await listen();
    const address = { host: "127.0.0.1", port: mute.port };
    await using worker = open({ kind: "standalone", address, tls: false, db: 0 }, "worker");
    await heard(worker.redis, "connect");
    await heard(worker.redis, "reconnecting");
    await heard(worker.redis, "connect");
  });

  it("is given to BullMQ as it wants it: commands retried for ever, no key prefix, replies as RESP2 has them", async () => {
    await using worker = open({ kind: "unix", path: "/nowhere/redis.sock" }, "worker");
    expect(worker.redis.options).toMatchObject({
      maxRetriesPerRequest: null,
      replyMapping: "legacy",
      enableAutoPipelining: false,
      keyPrefix: "",
    });
  });
});

describe("closing", () => {
  it.each<RedisRole>(["client", "worker"])("does not hang for a %s whose Redis is away", async (role) => {
    await using server = await startTestRedis();
    await using client = open(parseRedisUrl(server.url), role);
    await connected(client.redis);
    const closed = heard(client.redis, "close");
    await server.kill9();
    await closed;
    using began = new Lived();
    await closeRedis(client.redis);
    expect(began.ms).toBeLessThan(PROMPT_MS);
  });

  it("waits for replies that are under way", async () => {
    await using server = await startTestRedis();
    await using client = open(parseRedisUrl(server.url));
    await connected(client.redis);
    const written = client.redis.set("last", "1");
    await closeRedis(client.redis);
    await expect(written).resolves.toBe("OK");
  });

  it("gives up after about a second a Redis that has stopped answering", async () => {
    await using server = await startTestRedis();
    await using client = open(parseRedisUrl(server.url));
    await connected(client.redis);
    const admin = server.client();
    await admin.call("CLIENT", "PAUSE", 5_000, "ALL");
    using began = new Lived();
    await closeRedis(client.redis);
    expect(began.ms).toBeLessThan(1_500);
  });
});

describe("a Cluster of three", () => {
  it("takes keys of every slot, fails promptly when it is away, and is back by itself", async () => {
    await using cluster = await startTestCluster();
    await using client = open(parseRedisUrl(cluster.url));
    await connected(client.redis);
    expect(client.redis).toBeInstanceOf(Cluster);
    expect(await checkRedis(client.redis)).toMatchObject({ maxmemoryPolicy: "noeviction", aof: true });
    for (const key of ["{eko-0}", "{deepvue-0}", "a", "b", "c"]) await client.redis.set(key, key);
    const closed = heard(client.redis, "close");
    await cluster.kill9();
    await closed;
    using began = new Lived();
    await expect(ready(client.redis)).rejects.toMatchObject({ code: ErrorCode.REDIS_UNREACHABLE });
    await expect(client.redis.get("a")).rejects.toThrow();
    expect(began.ms).toBeLessThan(PROMPT_MS);
    const back = heard(client.redis, "ready");
    await cluster.restart();
    await back;
    await ready(client.redis);
    // One node was asked whether all are there: another may be some seconds behind.
    await expect.poll(async () => await client.redis.get("{deepvue-0}").catch(String)).toBe("{deepvue-0}");
  });

  it("fails within milliseconds where no node listens", async () => {
    await using client = open({ kind: "cluster", tls: false, nodes: [{ host: "127.0.0.1", port: await freePort() }] });
    using began = new Lived();
    await expect(ready(client.redis)).rejects.toThrow(
      /^Redis at redis\+cluster:\/\/127\.0\.0\.1:\d+ cannot be reached: none of its nodes takes a connection: connect ECONNREFUSED 127\.0\.0\.1:\d+\. Start it/,
    );
    expect(began.ms).toBeLessThan(PROMPT_MS);
  });
});

describe("a master behind a Sentinel", () => {
  it("is found, with password and database; without any sentinel it fails promptly", async () => {
    await using sentinel = await startTestSentinel();
    await using client = open(parseRedisUrl(sentinel.url));
    await connected(client.redis);
    await client.redis.set("where", "here");
    await client.redis.call("SELECT", 2);
    expect(await client.redis.get("where")).toBe("here");
    await sentinel.sentinel.remove();
    await using late = open(parseRedisUrl(sentinel.url));
    using began = new Lived();
    const failure = await ready(late.redis).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: ErrorCode.REDIS_UNREACHABLE });
    expect(String(failure)).not.toContain("master-password");
    expect(began.ms).toBeLessThan(PROMPT_MS);
  });
});

interface Opened extends AsyncDisposable {
  readonly redis: RedisClient;
  readonly errors: Error[];
}

function open(target: RedisTarget, role: RedisRole = "client"): Opened {
  const errors: Error[] = [];
  const redis = connectRedis(target, role, (error) => errors.push(error));
  return { redis, errors, [Symbol.asyncDispose]: async () => closeRedis(redis) };
}

/** A port that takes connections and never says a word. */
async function listen(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer();
  const port = await freePort();
  server.on("connection", (socket) => server.once("dispose", () => socket.destroy()));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      server.emit("dispose");
      server.close();
      await once(server, "close");
    },
  };
}
