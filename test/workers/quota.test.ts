import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { startWorkerBundle, type WorkerBundle } from "../support/worker.ts";

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
});
