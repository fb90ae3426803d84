import { tmpdir } from "node:os";
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { Client } from "../../producers/client.ts";
import { RedisAccess } from "../../src/redis/access.ts";
import { AADHAAR_INPUT } from "../support/client.ts";
import { readTestEnv } from "../support/env.ts";
import { bundleEnv, startWorkerBundle, type WorkerBundle } from "../support/worker.ts";
import { parseSettings } from "../../src/config/parse-settings.ts";
import { OPERATIONS } from "../../src/operations/catalogue.ts";

const WORKER = fileURLToPath(new URL("../../chaos/worker.ts", import.meta.url));
const TWO_MINUTES_MS = 120_000;

const input = (n: number) => ({ mobile: madeUpMobile(n), csp_id: "agent-1" });

/** A producer whose machine's clock is so far off. */
function producer({ settings }: Pick<WorkerBundle, "settings">, offBy: number): Client {
  const { machine } = readTestEnv();
  return new Client({
    tmpDir: tmpdir(),
    settings,
    openRedis: async () => await RedisAccess.open({ settings, stateDir: "/nowhere", machine, onError: () => {} }),
    actor: "library:test",
    now: () => Date.now() + offBy,
  });
}

it.each([-300_000, 300_000])("gives a job its two minutes from acceptance, by a producer %i ms off", async (offBy) => {
  await using bundle = await startWorkerBundle();
  await using client = producer(bundle, offBy);
  const before = Date.now();
  const { id } = await client.submit("eko.mobile-otp", input(1), { expiresIn: "2m" });
  const record = await client.get(id);
  const created = Date.parse(record?.created_at ?? "");
  expect(created).toBeGreaterThan(before - 2_000);
  expect(created).toBeLessThan(Date.now() + 2_000);
  expect(Date.parse(record?.expires_at ?? "")).toBe(created + TWO_MINUTES_MS);
  await bundle.startWorker();
  expect((await client.waitFor(id)).state).toBe("succeeded");
});

it.each([-TWO_MINUTES_MS, TWO_MINUTES_MS])(
  "shows a job's times by Redis' clock, taken by a worker %i ms off",
  async (offBy) => {
    await using bundle = await startWorkerBundle();
    const { metricsPort } = await bundle.startWorker({}, () => Date.now() + offBy);
    const before = Date.now();
    const { id } = await bundle.client.submit("eko.mobile-otp", input(1));
    const { attempts } = await bundle.client.waitFor(id);
    for (const at of [attempts[0]?.started_at, attempts[0]?.ended_at]) {
      expect(Date.parse(at ?? "")).toBeGreaterThan(before - 2_000);
      expect(Date.parse(at ?? "")).toBeLessThan(Date.now() + 2_000);
    }
    const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    const offset = Number(/^satyapan_redis_clock_offset_seconds (\S+)$/m.exec(metrics)?.[1]);
    expect(Math.abs(offset + offBy / 1_000)).toBeLessThan(1);
    expect(bundle.log.filter((line) => line.includes("this machine's clock differs from Redis'"))).toHaveLength(1);
  },
);

it.each([-TWO_MINUTES_MS, TWO_MINUTES_MS])(
  "takes a delayed job when it is due, and not before, in a process whose clock is %i ms off",
  async (clockOffsetMs) => {
    const waits = { DEEPVUE_PENDING_DELAYS: "2s", OTP_COOLDOWN: "0s" };
    await using bundle = await startWorkerBundle({ env: waits });
    const { redis, simulator } = bundle;
    const env = { ...bundleEnv(simulator, redis.url), ...waits, LOG_LEVEL: "silent" };
    const settings = parseSettings(env, { readFile: () => "", operations: OPERATIONS });
    await using client = producer({ settings }, 0);
    simulator.configure({ faults: [{ fault: "already-pending", times: 1 }] });
    const argument = JSON.stringify({ seed: 1, clockOffsetMs, killOdds: 0, freezeOdds: 0 });
    const worker = fork(WORKER, [argument], { env, stdio: ["ignore", "ignore", "inherit", "ipc"] });
    try {
      const { id } = await client.submit("deepvue.aadhaar-otp", AADHAAR_INPUT);
      await expect.poll(async () => (await client.get(id))?.state).toBe("waiting");
      const commands = async () =>
        Number(/total_commands_processed:(\d+)/.exec(await redis.client().info("stats"))?.[1]);
      const before = await commands();
      const { state, attempts } = await client.waitFor(id);
      expect(state).toBe("succeeded");
      // Two seconds: a worker that looped made thousands of commands a second.
      expect((await commands()) - before).toBeLessThan(1_000);
      const [first, second, ...more] = attempts.map(({ started_at: at }) => Date.parse(at));
      expect(more).toEqual([]);
      const waited = (second ?? 0) - (first ?? 0);
      expect(waited).toBeGreaterThan(1_500);
      expect(waited).toBeLessThan(TWO_MINUTES_MS / 2);
    } finally {
      worker.kill("SIGKILL");
      await once(worker, "exit");
    }
  },
);
