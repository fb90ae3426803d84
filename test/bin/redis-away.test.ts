import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startSimulator } from "../../simulator/simulator.ts";
import { testKeys } from "../support/client.ts";
import { RunningCommand, satyapan } from "../support/command.ts";
import { startTestRedis } from "../support/redis.ts";
import { makeTempDir, type TempDir } from "../support/temp-dir.ts";
import { bundleEnv } from "../support/worker.ts";

let dir: TempDir;
beforeAll(async () => {
  dir = await makeTempDir();
});
afterAll(async () => {
  await dir[Symbol.asyncDispose]();
});

const INPUT = JSON.stringify({ mobile: "9876501234", csp_id: "agent1" });

/** So long a worker may take to end while Redis is away, in ms: BullMQ's timers once kept it for over a minute. Alone 2 s. */
const SOON_MS = 30_000;

describe("a worker's process whose Redis has gone", () => {
  it.each([
    ["before", false],
    ["after", true],
  ])("is gone when it says that it is stopped, also where Redis went %s SIGTERM", async (_, after) => {
    await using redis = await startTestRedis();
    await using simulator = await startSimulator();
    const env = bundleEnv(simulator, redis.url);
    await using worker = new RunningCommand(["worker"], { cwd: dir.path, env });
    await worker.said("worker ready");
    // BullMQ's timers run for jobs that were taken.
    const done = await satyapan(["submit", "eko.mobile-otp", "--wait", "2m", "--input", INPUT], {
      cwd: dir.path,
      env,
    });
    expect(done.code).toBe(0);
    if (!after) await redis.kill9();
    const began = performance.now();
    worker.kill("SIGTERM");
    if (after) await redis.kill9();
    const { stderr } = await worker.ended;
    expect(performance.now() - began).toBeLessThan(SOON_MS);
    expect(stderr.trimEnd().split("\n").at(-1)).toContain("worker stopped");
    await redis.restart();
  });
});

describe("a worker that is started", () => {
  it("against a Redis that refuses writes says one sentence, and ends with 3", async () => {
    await using redis = await startTestRedis();
    await using simulator = await startSimulator();
    await redis.client().config("SET", "min-replicas-to-write", "1");
    const ran = await satyapan(["worker"], { cwd: dir.path, env: bundleEnv(simulator, redis.url) });
    expect(ran.code).toBe(3);
    const said = ran.stderr.split("\n").filter((line) => line !== "" && !line.startsWith("{"));
    expect(said).toEqual([
      "satyapan: Redis refused a command (NOREPLICAS): too few replicas follow it (min-replicas-to-write): mend the replicas",
    ]);
    await redis.client().config("SET", "min-replicas-to-write", "0");
  });

  it("against a Redis that has all the clients it takes says so, and how to mend it", async () => {
    await using redis = await startTestRedis();
    await using simulator = await startSimulator();
    const keeper = redis.client();
    await keeper.ping();
    await keeper.config("SET", "maxclients", "1");
    const ran = await satyapan(["worker"], { cwd: dir.path, env: bundleEnv(simulator, redis.url) });
    expect(ran.code).toBe(3);
    expect(ran.stderr).toMatch(/^satyapan: .*its maxclients allows.*$/m);
    expect(ran.stderr).not.toMatch(/\n\s+at /);
  });
});

describe("against a Redis that refuses writes", () => {
  it("`audit verify` says so in one sentence, and ends with 3; `onboard list` looks all the same", async () => {
    await using redis = await startTestRedis();
    const env = { ...testKeys(), REDIS_URL: redis.url };
    await redis.client().config("SET", "min-replicas-to-write", "1");
    const run = async (...args: string[]) => await satyapan(args, { cwd: dir.path, env });
    expect(await run("audit", "verify")).toMatchObject({
      ...{ code: 3, stdout: "" },
      stderr: expect.stringMatching(/^satyapan: Redis refused a command \(NOREPLICAS\): .*\n$/) as string,
    });
    expect(await run("onboard", "list")).toMatchObject({ code: 0, stdout: "none\n", stderr: "" });
    await redis.client().config("SET", "min-replicas-to-write", "0");
  });
});

describe("/readyz", () => {
  it("answers within a second though Redis is frozen, and says so", async () => {
    await using redis = await startTestRedis();
    await using simulator = await startSimulator();
    const env = bundleEnv(simulator, redis.url);
    await using worker = new RunningCommand(["worker"], { cwd: dir.path, env });
    const port = Number(/\d+/.exec(await worker.said(/"metrics_port":\d+/))?.[0]);
    const ask = async () => {
      const began = performance.now();
      const reply = await fetch(`http://127.0.0.1:${port}/readyz`);
      return { status: reply.status, text: await reply.text(), ms: performance.now() - began };
    };
    await expect.poll(async () => (await ask()).status).toBe(200);
    // Busy for some seconds: it answers nobody.
    const busy = redis
      .client()
      .eval("local t = redis.call('TIME')[1] + 4 while redis.call('TIME')[1] + 0 < t do end", 0);
    await expect.poll(ask).toMatchObject({ status: 503 });
    const frozen = await ask();
    expect(frozen.text).toMatch(/^(redis does not answer|no answer within)/);
    expect(frozen.ms).toBeLessThan(1_500);
    await busy;
  });
});
