import { Registry } from "prom-client";
import { connected } from "../../support/connected.ts";
import { Lived } from "../../support/lived.ts";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { JobQueues } from "../../../src/queues/job-queues.ts";
import { ErrorCode } from "../../../src/base/error.ts";
import { Secret } from "../../../src/secrets/secret.ts";
import { closeRedis, connectRedis, ready, type RedisClient, type RedisRole } from "../../../src/redis/connection.ts";
import { queueOf } from "../../../src/queues/names.ts";
import { RedisClock } from "../../../src/redis/clock.ts";
import type { RedisTls } from "../../../src/redis/tls.ts";
import { parseRedisUrl, usesTls } from "../../../src/redis/url.ts";
import { Metrics } from "../../../src/telemetry/metrics.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { QueueWorker } from "../../../src/queues/queue-worker.ts";
import { queueLog } from "../../../workers/queue-log.ts";
import { Authority, type Issued } from "../../support/certificates.ts";
import { freePort } from "../../support/free-port.ts";
import { LocalServer } from "../../support/local-server.ts";
import { startTestRedis } from "../../support/redis.ts";
import { makeTempDir } from "../../support/temp-dir.ts";
import { TEST_REDIS_ARGS } from "../../support/test-server.ts";

/** A refusal takes milliseconds, silence 2.5 s; the rest is for a machine that is busy with other tests. */
const SECONDS = 4_000;
const HOUR_MS = 3_600_000;

const ours = new Authority("our authority");
const theirs = new Authority("another authority");
const client = ours.issue("worker");
const good: RedisTls = { ca: ours.cert, client: asClient(client) };

/** A Redis of this file's own that speaks TLS alone; `server`: its certificate. */
async function startTlsRedis(server: Issued): Promise<AsyncDisposable & { readonly url: string }> {
  await using stack = new AsyncDisposableStack();
  const dir = stack.use(await makeTempDir());
  const files = { "ca.pem": ours.cert, "server.pem": server.cert, "server.key": server.key };
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir.path, name), text, { mode: 0o600 });
  const port = await freePort();
  const args = Object.entries({
    "--port": "0",
    "--bind": "127.0.0.1",
    "--tls-port": String(port),
    "--tls-ca-cert-file": join(dir.path, "ca.pem"),
    "--tls-cert-file": join(dir.path, "server.pem"),
    "--tls-key-file": join(dir.path, "server.key"),
    "--tls-auth-clients": "yes",
  }).flat();
  await stack.use(await LocalServer.create(dir.path, [...TEST_REDIS_ARGS, ...args])).start();
  const opened = stack.move();
  return { url: `rediss://127.0.0.1:${port}`, [Symbol.asyncDispose]: async () => opened.disposeAsync() };
}

let redis: Awaited<ReturnType<typeof startTlsRedis>>;
beforeAll(async () => {
  redis = await startTlsRedis(ours.issue("redis", { ip: "127.0.0.1" }));
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
});

describe("a Redis that speaks only TLS and asks for a client certificate", () => {
  it.each<RedisRole>(["client", "worker"])("takes a %s with its authority and a certificate of it", async (role) => {
    await using opened = open(redis.url, good, role);
    await connected(opened.redis);
    expect(await opened.redis.ping()).toBe("PONG");
  });

  it("runs a job of BullMQ to its end", async () => {
    await using producer = open(redis.url, good);
    await using taker = open(redis.url, good, "worker");
    await connected(producer.redis);
    const queue = queueOf("eko");
    const taken = Promise.withResolvers<string>();
    const worker = new QueueWorker({
      queue,
      redis: taker.redis,
      clock: new RedisClock({ now: Date.now }),
      concurrency: 1,
      pace: { max: 100, ms: 1_000 },
      fetching: async () => {},
      run: async (id) => {
        taken.resolve(id);
        return await Promise.resolve({ kind: "done" });
      },
      runTicket: async () => await Promise.resolve({ kind: "done" }),
      givenUp: async () => {},
      givenUpTicket: async () => {},
      listener: queueLog(createLogger("silent", process.stderr), new Metrics(new Registry()), queue),
    });
    const queues = new JobQueues(producer.redis, Date.now);
    try {
      await worker.start();
      await queues.add(queue, [{ id: "1", lane: "interactive", verify: false }]);
      expect(await taken.promise).toBe("1");
    } finally {
      await worker.close();
      await queues.close();
    }
  });

  it.each<[what: string, tls: () => RedisTls, failure: RegExp, remedy: string]>([
    [
      "without its authority",
      () => ({ ...good, ca: null }),
      /self-signed certificate in certificate chain/,
      "Set REDIS_TLS_CA to the authority that signed its certificate.",
    ],
    [
      "with another authority",
      () => ({ ...good, ca: theirs.cert }),
      /self-signed certificate in certificate chain/,
      "Set REDIS_TLS_CA to the authority that signed its certificate.",
    ],
    ["without a client certificate", () => ({ ...good, client: null }), /alert|ECONNRESET|closed/, "REDIS_TLS_CERT"],
    [
      "with a client certificate of another authority",
      () => ({ ...good, client: asClient(theirs.issue("worker")) }),
      /alert|ECONNRESET|closed/,
      "REDIS_TLS_CERT",
    ],
    [
      "with an expired client certificate",
      () => ({ ...good, client: asClient(ours.issue("worker", { notAfter: new Date(Date.now() - HOUR_MS) })) }),
      /expired|ECONNRESET|closed/,
      "REDIS_TLS_CERT",
    ],
  ])("refuses a connection %s within seconds, and says how to mend it", async (_, tls, failure, remedy) => {
    for (const role of ["client", "worker"] as const) {
      await using opened = open(redis.url, tls(), role);
      await expectRefusal(opened.redis, failure, remedy);
    }
  });

  it("refuses a connection without TLS within seconds", async () => {
    await using opened = open(redis.url.replace("rediss:", "redis:"), good);
    await expectRefusal(opened.redis, /./, "or speak TLS (begin REDIS_URL with rediss://).");
  });

  it("is not trusted where its certificate is for another address or too old, whatever the environment allows", async () => {
    await using elsewhere = await startTlsRedis(ours.issue("redis", { ip: "192.0.2.1" }));
    await using first = open(elsewhere.url, good);
    await expectRefusal(first.redis, /altnames/, "Name it in REDIS_URL as its certificate does.");
    await using old = await startTlsRedis(
      ours.issue("redis", { ip: "127.0.0.1", notAfter: new Date(Date.now() - HOUR_MS) }),
    );
    await using second = open(old.url, good);
    await expectRefusal(second.redis, /expired/, "Renew the certificate of the server.");
    for (const { redis: connection } of [first, second]) {
      expect(connection.options).toMatchObject({ tls: { rejectUnauthorized: true, minVersion: "TLSv1.2" } });
    }
  });
});

describe("a Redis without TLS", () => {
  it("refuses a connection with TLS within seconds", async () => {
    await using dir = await makeTempDir();
    const port = await freePort();
    await using server = await LocalServer.create(dir.path, ["--bind", "127.0.0.1", "--port", String(port)]);
    await server.start();
    await using opened = open(`rediss://127.0.0.1:${port}`, good);
    await expectRefusal(
      opened.redis,
      /ETIMEDOUT|no answer/,
      "if its port speaks no TLS, begin REDIS_URL with redis://.",
    );
  });

  it("takes no notice of certificates", async () => {
    await using server = await startTestRedis();
    await using opened = open(server.url, { ca: "none", client: null });
    await connected(opened.redis);
    expect(
      ["redis://a", "unix:///a", "rediss+cluster://a", "rediss+sentinel://a/m"].map((url) =>
        usesTls(parseRedisUrl(url)),
      ),
    ).toEqual([false, false, true, true]);
  });
});

function open(
  url: string,
  tls: RedisTls,
  role: RedisRole = "client",
): AsyncDisposable & { readonly redis: RedisClient } {
  const connection = connectRedis(parseRedisUrl(url), role, () => {}, tls);
  return { redis: connection, [Symbol.asyncDispose]: async () => closeRedis(connection) };
}

async function expectRefusal(connection: RedisClient, failure: RegExp, remedy: string): Promise<void> {
  using began = new Lived();
  const error: unknown = await ready(connection).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: ErrorCode.REDIS_UNREACHABLE });
  expect(String(error)).toMatch(failure);
  expect(String(error)).toContain(remedy);
  expect(began.ms).toBeLessThan(SECONDS);
}

function asClient({ cert, key }: Issued): RedisTls["client"] {
  return { certificate: cert, key: new Secret(key) };
}
