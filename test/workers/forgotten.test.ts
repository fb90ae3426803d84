import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { GateControl } from "../../src/limits/control.ts";
import { queueOf } from "../../src/queues/names.ts";
import { startWorkerBundle, type WorkerBundle } from "../support/worker.ts";

const QUEUE = queueOf("eko");
const ONE_SECOND = { max: 2, ms: 1_000 };

async function bundleOfTwoPerSecond(): Promise<WorkerBundle> {
  const bundle = await startWorkerBundle({ env: { EKO_QUOTA: "2/1s" } });
  // Counted by the provider, in a window that slides; a shorter one, as it may see a call late that came in time.
  bundle.simulator.configure({ quotas: { eko: [{ max: 2, ms: 700 }] } });
  return bundle;
}

async function callAll({ client }: WorkerBundle, from: number, count: number): Promise<string[]> {
  const inputs = Array.from({ length: count }, (_, n) => ({ mobile: madeUpMobile(from + n), csp_id: "agent-1" }));
  const jobs = await client.submitMany("eko.mobile-otp", inputs, { lane: "interactive" });
  const settled = await Promise.all(jobs.map(async ({ id }) => await client.waitFor(id)));
  return settled.map(({ state }) => state);
}

const lost = async (port: number): Promise<number> => {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(/^satyapan_redis_data_lost_total\{queue="\{eko-0\}"\} (\d+)$/m.exec(text)?.[1]);
};

const lines = ({ log }: WorkerBundle, said: string): string[] =>
  log.filter((line) => line.includes(QUEUE) && line.includes(said));

it("keeps the quota after a FLUSHALL: no call is free, and nothing of it is a first start", async () => {
  await using bundle = await bundleOfTwoPerSecond();
  const worker = await bundle.startWorker();
  expect(await callAll(bundle, 0, 2)).toEqual(["succeeded", "succeeded"]);
  expect(await lost(worker.metricsPort)).toBe(0);
  expect(lines(bundle, "Redis lost its data")).toHaveLength(0);
  await bundle.redis.client().flushall();
  expect(await callAll(bundle, 10, 6)).toEqual(Array(6).fill("succeeded"));
  expect(bundle.simulator.requests.map(({ status }) => status)).toEqual(Array(8).fill(200));
  expect(await lost(worker.metricsPort)).toBe(1);
  expect(lines(bundle, "Redis lost its data")).toHaveLength(1);
  expect((await bundle.client.gates.read("eko")).lost).toMatchObject({ quotaByHand: null });
  // BullMQ's own, without which a closed gate would not keep workers from fetching.
  expect(await bundle.redis.client().hget(`bull:${QUEUE}:meta`, "max")).toBe("1");
});

it("keeps it where Redis starts again without its data", async () => {
  await using bundle = await bundleOfTwoPerSecond();
  await bundle.startWorker();
  expect(await callAll(bundle, 0, 2)).toEqual(["succeeded", "succeeded"]);
  await bundle.redis.kill9();
  await rm(join(bundle.redis.dir, "appendonlydir"), { recursive: true, force: true });
  await bundle.redis.restart();
  await expect.poll(() => lines(bundle, "Redis lost its data").length).toBe(1);
  expect(await callAll(bundle, 10, 4)).toEqual(Array(4).fill("succeeded"));
  expect(bundle.simulator.requests.map(({ status }) => status)).toEqual(Array(6).fill(200));
});

it("is brought back once by several workers, and says that a quota set by hand was lost", async () => {
  await using bundle = await bundleOfTwoPerSecond();
  await Promise.all([bundle.startWorker(), bundle.startWorker()]);
  await bundle.client.gates.setQuota("eko", "1/1s");
  const control = new GateControl(bundle.redis.client());
  await expect.poll(async () => (await control.read(QUEUE)).quotaSetByHand).toBe(true);
  // Each worker has to have seen it: with nothing to do their looks are ten seconds apart at most.
  const looks = async () =>
    Number(/cmdstat_time:calls=(\d+)/.exec(await bundle.redis.client().info("commandstats"))?.[1]);
  const before = await looks();
  await expect.poll(looks).toBeGreaterThan(before + 9);
  await bundle.redis.client().flushall();
  await expect.poll(() => lines(bundle, "Redis lost its data").length).toBe(2);
  expect(lines(bundle, '"brought_back_here":true')).toHaveLength(1);
  const said = lines(
    bundle,
    "the quota that was set by hand was lost with Redis' data: set it again with satyapan quota set",
  );
  expect(said[0]).toContain('"lost":"1/1s","in_force":"2/1s"');
  const { quota, quotaSetByHand, lost: loss } = await bundle.client.gates.read("eko");
  expect({ quota, quotaSetByHand }).toEqual({ quota: [ONE_SECOND], quotaSetByHand: false });
  expect(loss?.quotaByHand).toEqual([{ max: 1, ms: 1_000 }]);
  await bundle.client.gates.setQuota("eko", "1/1s");
  expect((await bundle.client.gates.read("eko")).lost?.quotaByHand).toBeNull();
});
