import { expect, it, onTestFailed } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { GateControl } from "../../src/limits/control.ts";
import { queuePrefix, queueOf } from "../../src/queues/names.ts";
import { startTestSentinel } from "../support/redis-sentinel.ts";
import { startWorkerBundle } from "../support/worker.ts";

const QUEUE = queueOf("eko");
const PERMITS = `${queuePrefix(QUEUE)}permits`;

it("makes no call free that the master before had charged, and goes on by itself", async () => {
  await using sentinel = await startTestSentinel({ withReplica: true });
  await using bundle = await startWorkerBundle({ env: { REDIS_URL: sentinel.url, EKO_QUOTA: "6/10m" } });
  const { client, simulator, log } = bundle;
  onTestFailed(() => void process.stderr.write(log.slice(-60).join("")));
  const submit = async (from: number, count: number) =>
    await client.submitMany(
      "eko.mobile-otp",
      Array.from({ length: count }, (_, n) => ({ mobile: madeUpMobile(from + n), csp_id: "agent-1" })),
      { lane: "interactive" },
    );
  await bundle.startWorker();
  const first = await submit(0, 5);
  for (const { id } of first) expect((await client.waitFor(id)).state).toBe("succeeded");
  const waiting = await submit(10, 3);
  // One of them: which, their workers' fetches decide.
  await Promise.race(waiting.map(async ({ id }) => await client.waitFor(id, { timeoutMs: 600_000 })));
  expect(simulator.requests).toHaveLength(6);
  const { replica } = sentinel;
  await expect.poll(async () => await replica.llen(PERMITS)).toBe(6);
  // What the master acknowledged, and its replica never got: as if they had been the last writes before its end.
  await replica.config("SET", "replica-read-only", "no");
  await replica.ltrim(PERMITS, 5, 5);
  await sentinel.loseMaster();
  await expect.poll(async () => (await replica.role())[0], { interval: 20 }).toBe("master");
  await replica.config("SET", "replica-read-only", "yes");
  // Those that were noted, or given back for a later one, just as they were looked for may be charged twice (none on a quiet
  // machine, two of six were seen); none is left out.
  await expect.poll(async () => await replica.llen(PERMITS), { interval: 20 }).toBeGreaterThan(5);
  const control = new GateControl(replica);
  // Not what `read` calls used: that is no more than the window holds.
  const charged = await replica.llen(PERMITS);
  expect(charged).toBeGreaterThanOrEqual(6);
  expect(charged).toBeLessThanOrEqual(2 * 6);
  // The worker hears a little later than Redis has it.
  const said = (): string[] =>
    log.filter((line) => line.includes(QUEUE) && line.includes("another Redis server answers"));
  await expect.poll(said).toHaveLength(1);
  await control.setQuota(QUEUE, [{ max: charged + 1, ms: 600_000 }]);
  await expect.poll(() => simulator.requests.length, { interval: 10 }).toBe(7);
  expect(await replica.llen(PERMITS)).toBe(charged + 1);
  expect(said()).toHaveLength(1);
});
