import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { GateControl } from "../../src/limits/control.ts";
import { parseQuota } from "../../src/limits/parse-quota.ts";
import { testKeys } from "../support/client.ts";
import { RunningCommand } from "../support/command.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { bundleEnv, startWorkerBundle, type WorkerBundle } from "../support/worker.ts";

const QUEUE = "{eko-0}";
const inputs = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ mobile: madeUpMobile(index), csp_id: "agent-1" }));

/** Counts the times that a worker took a job, from now on. */
async function countPickups({ redis }: WorkerBundle): Promise<() => Promise<number>> {
  const client = redis.client();
  await client.config("SET", "stream-node-max-entries", "100");
  let last = "0";
  let pickups = 0;
  return async () => {
    const entries = await client.xrange(`bull:${QUEUE}:events`, last === "0" ? "-" : `(${last}`, "+");
    for (const [id, fields] of entries) {
      last = id;
      if (fields[1] === "active") pickups += 1;
    }
    return pickups;
  };
}

describe("a quota under load", () => {
  it("is never exceeded by four worker processes in three windows, and is used", { timeout: 60_000 }, async () => {
    const quota = "5/200ms,20/1s,60/4s";
    const keys = testKeys(); // what the client seals, the workers open
    await using bundle = await startWorkerBundle({
      simulator: { quotas: { eko: [...parseQuota(quota, "quota")] }, enforceQuotas: false },
      env: keys,
    });
    await using place = await makeTempDir();
    const env = { ...bundleEnv(bundle.simulator, bundle.redis.url), ...keys, EKO_QUOTA: quota };
    await bundle.client.submitMany("eko.mobile-otp", inputs(400), { lane: "bulk" });
    await using stack = new AsyncDisposableStack();
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const workers = Array.from({ length: 4 }, () =>
      stack.use(new RunningCommand(["worker"], { env, cwd: place.path, timeoutMs: 50_000 })),
    );
    await Promise.all(workers.map(async (worker) => await worker.said('"worker ready"')));
    await expect.poll(() => bundle.simulator.requests.length, { timeout: 5_000 }).toBeGreaterThan(0);
    const first = bundle.simulator.requests[0]?.at ?? 0;
    await sleep(first + 9_000 - Date.now());
    delay.disable();
    const arrivals = bundle.simulator.requests.map(({ at }) => at);
    const calls = arrivals.filter((at) => at < first + 9_000).length;
    // A witness that was held up for so long saw two calls so much closer together than they were.
    const heldUpMs = Math.ceil(delay.max / 1e6);
    for (const { max, ms } of parseQuota(quota, "quota")) {
      const tooClose = arrivals.filter((at, n) => n >= max && at - (arrivals[n - max] ?? 0) < ms - heldUpMs);
      expect(tooClose, `calls beyond ${max} in ${ms} ms; held up ${heldUpMs} ms`).toEqual([]);
    }
    // Perfect were 60 in each of the first two windows of 4 s and 20 in the third. On a free machine 98 % of that are used
    // (`bench/quota.ts`); here five processes and the other tests share its cores.
    expect(calls).toBeGreaterThanOrEqual(0.75 * 140);
  });

  it("costs at most three pick-ups per call, though hundreds of jobs wait and four workers of 50 could take them", async () => {
    await using bundle = await startWorkerBundle({ env: { EKO_QUOTA: "1/300ms" } });
    await bundle.client.submitMany("eko.mobile-otp", inputs(500), { lane: "bulk" });
    const pickups = await countPickups(bundle);
    for (let n = 0; n < 4; n += 1) await bundle.startWorker();
    await expect.poll(() => bundle.simulator.requests.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(12);
    expect(await pickups()).toBeLessThanOrEqual(3 * bundle.simulator.requests.length);
  });

  it("that refuses a job costs it no attempt, and its record says which window is full and until when", async () => {
    await using bundle = await startWorkerBundle({ env: { EKO_QUOTA: "2/1d", CALL_ATTEMPTS: "1" } });
    const records = await bundle.client.submitMany("eko.mobile-otp", inputs(3), { lane: "interactive" });
    const [, , last = ""] = records.map(({ id }) => id);
    await bundle.startWorker();
    await expect.poll(() => bundle.simulator.requests.length).toBe(2);
    // Nobody takes the third: the queue is closed. Once one looks, the record tells.
    await bundle.redis.client().del(`bull:${QUEUE}:limiter`);
    await expect.poll(async () => (await bundle.client.get(last))?.state, { timeout: 5_000 }).toBe("waiting");
    const record = await bundle.client.get(last);
    expect(record).toMatchObject({ reason: expect.stringMatching(/^quota: 2\/1d is used up/) as string, attempts: [] });
    const hours = (Date.parse(record?.next_attempt_at ?? "") - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(23.9);
    expect(hours).toBeLessThan(24.01);
    expect(bundle.simulator.requests).toHaveLength(2);
  });

  it("set to 0 holds all jobs, and set back lets them go on, faster than before, while workers run", async () => {
    await using bundle = await startWorkerBundle({ env: { EKO_QUOTA: "10/1s" } });
    const control = new GateControl(bundle.redis.client());
    await bundle.startWorker();
    await bundle.startWorker();
    await bundle.client.submitMany("eko.mobile-otp", inputs(120), { lane: "interactive" });
    await expect.poll(() => bundle.simulator.requests.length).toBeGreaterThan(3);
    await control.setQuota(QUEUE, parseQuota("0", "quota"));
    await sleep(200); // calls that had their permit
    const held = bundle.simulator.requests.length;
    await sleep(1_500);
    expect(bundle.simulator.requests.length).toBe(held);
    await control.setQuota(QUEUE, parseQuota("500/1s", "quota"));
    await expect.poll(() => bundle.simulator.requests.length, { timeout: 4_000 }).toBe(120);
    expect(bundle.simulator.requests.every(({ status }) => status === 200)).toBe(true);
  });
});
