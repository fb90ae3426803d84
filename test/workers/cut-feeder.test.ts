import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { noRows } from "../../src/batches/row-state.ts";
import { SETTLED_CHANNEL } from "../../src/queues/names.ts";
import { Secret } from "../../src/secrets/secret.ts";
import { BatchBundle } from "../support/batch-bundle.ts";
import { type CuttingProxy, cuttingProxy } from "../support/cutting-proxy.ts";
import { startWorkerBundle, type WorkerBundle } from "../support/worker.ts";

const TAKE = /batch:b[0-9a-z]{9}\r[^]*eko\.mobile-otp bulk /;
const TAKE_FLOW = /batch:b[0-9a-z]{9}\r[^]*eko\.mobile bulk /;
const REVOKE = new RegExp(`batch:b[0-9a-z]{9}\\r[^]*${SETTLED_CHANNEL}`);

/** The worker's way to Redis is cut; the batches' is not. */
async function startWorker(bundle: WorkerBundle, { url }: CuttingProxy) {
  return await bundle.startWorker({ redisUrl: new Secret(url, "hidden") });
}

/** Each for another person, whom the simulator lets succeed. */
const mobileOf = (from: number) => (row: number) => madeUpMobile(from + row, "000");

describe("a step of the feeder that is sent again, because its answer was cut off", () => {
  it("hands its rows over, once", async () => {
    await using bundle = await startWorkerBundle();
    const batches = new BatchBundle(bundle.redis, bundle.settings);
    await using proxy = await cuttingProxy(bundle.redis, { from: TAKE, to: TAKE });
    const worker = await startWorker(bundle, proxy);
    // From the first on Redis knows every script.
    await batches.ended((await batches.submit(batches.rows(1, mobileOf(0)))).id);
    proxy.arm();
    const { id } = await batches.submit(batches.rows(20, mobileOf(1)));
    await proxy.cut;
    expect(await batches.ended(id)).toMatchObject({ counts: { ...noRows(), succeeded: 20 } });
    await batches.recount(id);
    expect(bundle.simulator.requests).toHaveLength(21);
    await worker.stop();
  });

  it("begins the flow of each of its rows, once", async () => {
    await using bundle = await startWorkerBundle();
    const batches = new BatchBundle(bundle.redis, bundle.settings);
    const rows = (count: number, from: number) =>
      batches.flowRows("eko.mobile", count, (row) => ({ mobile: mobileOf(from)(row), csp_id: "9000000001" }));
    await using proxy = await cuttingProxy(bundle.redis, { from: TAKE_FLOW, to: TAKE_FLOW });
    const worker = await startWorker(bundle, proxy);
    const awaited = async (id: string, count: number): Promise<void> => {
      const look = async (): Promise<number> => (await batches.show(id)).counts.awaiting_otp;
      await expect.poll(look, { timeout: 10_000, interval: 20 }).toBe(count);
    };
    await awaited((await batches.submit(rows(1, 0), { flow: "eko.mobile" })).id, 1);
    proxy.arm();
    const { id } = await batches.submit(rows(5, 1), { flow: "eko.mobile" });
    await proxy.cut;
    await awaited(id, 5);
    await batches.recount(id);
    expect(bundle.simulator.requests).toHaveLength(6);
    await worker.stop();
  });

  it("takes rows of a batch that is paused back, so that they wait", async () => {
    await using bundle = await startWorkerBundle({ env: { EKO_QUOTA: "1/1h" } });
    const batches = new BatchBundle(bundle.redis, bundle.settings);
    await using proxy = await cuttingProxy(bundle.redis, { from: REVOKE, to: REVOKE });
    const worker = await startWorker(bundle, proxy);
    const { id } = await batches.submit(batches.rows(6, mobileOf(0)));
    const counts = async () => (await batches.show(id)).counts;
    const become = async (expected: object): Promise<void> => {
      await expect.poll(counts, { timeout: 10_000, interval: 20 }).toEqual({ ...noRows(), succeeded: 1, ...expected });
    };
    await become({ queued: 5 });
    await bundle.client.batches.pause(id, "so that Redis knows the script");
    await become({ waiting: 5 });
    await bundle.client.batches.resume(id);
    await become({ queued: 5 });
    proxy.arm();
    await bundle.client.batches.pause(id, "the bank asked for it");
    await proxy.cut;
    await become({ waiting: 5 });
    await bundle.client.batches.resume(id);
    await become({ queued: 5 });
    await batches.recount(id);
    await worker.stop();
  });
});
