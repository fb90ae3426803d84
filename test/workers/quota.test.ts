import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { GateControl } from "../../src/limits/control.ts";
import { formatQuota, parseQuota } from "../../src/limits/parse-quota.ts";
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

/** How late this process, which is the witness too, may have seen what came: its event loop's turns, as they went by. */
class Lateness implements Disposable {
  readonly #turns: number[] = [];
  readonly #delay = monitorEventLoopDelay({ resolution: 1 });
  readonly #timer = setInterval(() => this.#turns.push(Date.now()), 1);

  constructor() {
    this.#delay.enable();
  }

  /** What was seen then may have come so much earlier, in ms: a connection takes up to three turns from accept to request. */
  at(seen: number): number {
    const last = this.#turns.findLastIndex((turn) => turn < seen);
    return seen - (this.#turns[last - 2] ?? 0);
  }

  toString(): string {
    const [p99, most] = [this.#delay.percentile(99), this.#delay.max].map((ns) => (ns / 1e6).toFixed(1));
    return `turns of ${p99} ms (p99), ${most} ms at most`;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#delay.disable();
  }
}

describe("a quota under load", () => {
  it("is never exceeded by four worker processes in three windows, and is used", async () => {
    const quota = parseQuota("5/200ms,20/1s,60/4s", "quota");
    const keys = testKeys(); // what the client seals, the workers open
    await using bundle = await startWorkerBundle({
      simulator: { quotas: { eko: [...quota] }, enforceQuotas: false },
      env: keys,
    });
    await using place = await makeTempDir();
    const env = { ...bundleEnv(bundle.simulator, bundle.redis.url), ...keys, EKO_QUOTA: formatQuota(quota) };
    await bundle.client.submitMany("eko.mobile-otp", inputs(400), { lane: "bulk" });
    await using stack = new AsyncDisposableStack();
    const workers = Array.from({ length: 4 }, () =>
      stack.use(new RunningCommand(["worker"], { env, cwd: place.path })),
    );
    using lateness = new Lateness();
    await Promise.all(workers.map(async (worker) => await worker.said('"worker ready"')));
    // The whole of two windows of 4 s, and of the third a part. How soon they are used depends on the machine:
    // `node bench/quota.ts windows` measures that, and docs/performance.md has it.
    await expect.poll(() => bundle.simulator.requests.length).toBeGreaterThan(2.5 * 60);
    const arrivals = bundle.simulator.requests.map(({ at }) => at);
    for (const { max, ms } of quota) {
      const tooClose = arrivals.flatMap((at, n) => {
        const before = arrivals[n - max] ?? -Infinity;
        // A witness that was held up as it came saw it so much closer to this one than it was.
        const earlyMs = ms - (at - before);
        return earlyMs > 0 && earlyMs > lateness.at(before) ? [`${earlyMs} ms, of ${lateness.at(before)} allowed`] : [];
      });
      expect(tooClose, `too early for ${max} in ${ms} ms; ${String(lateness)}`).toEqual([]);
    }
  });

  it("costs at most three pick-ups per call, though hundreds of jobs wait and four workers of 50 could take them", async () => {
    await using bundle = await startWorkerBundle({ env: { EKO_QUOTA: "1/300ms" } });
    await bundle.client.submitMany("eko.mobile-otp", inputs(500), { lane: "bulk" });
    const pickups = await countPickups(bundle);
    for (let n = 0; n < 4; n += 1) await bundle.startWorker();
    await expect.poll(() => bundle.simulator.requests.length).toBeGreaterThanOrEqual(12);
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
    await expect.poll(async () => (await bundle.client.get(last))?.state).toBe("waiting");
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
    const setBackAt = Date.now();
    await control.setQuota(QUEUE, parseQuota("500/1s", "quota"));
    await expect.poll(() => bundle.simulator.requests.length).toBe(120);
    const after = bundle.simulator.requests.map(({ at }) => at).filter((at) => at >= setBackAt);
    // More than the first quota's ten in some second.
    expect(after.some((at, n) => (after[n + 12] ?? Infinity) - at < 1_000)).toBe(true);
    expect(bundle.simulator.requests.every(({ status }) => status === 200)).toBe(true);
  });
});
