import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { batchKey } from "../../src/batches/keys.ts";
import { noRows } from "../../src/batches/row-state.ts";
import { queueOf } from "../../src/queues/names.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { RowCount } from "../../workers/feeder-count.ts";
import { madeUpMobile } from "../../simulator/people.ts";
import { BatchBundle } from "../support/batch-bundle.ts";
import { startWorkerBundle } from "../support/worker.ts";

const QUEUE = queueOf("eko");
const MINUTE = 60_000;

/** Of ten rows, so many more are counted as succeeded than did. */
function setup(added: Readonly<Record<string, number>>) {
  const asked: string[] = [];
  let now = 1_000;
  const audit = async (_queue: string, id: string) => {
    asked.push(id);
    const bytes = { ...noRows(), succeeded: 10 };
    const counts = { ...bytes, succeeded: 10 + (added[id] ?? 0) };
    return await Promise.resolve(id === "gone" ? null : { rows: 10, counts, bytes, foreign: 0 });
  };
  const count = new RowCount({
    queue: QUEUE,
    store: { audit },
    now: () => now,
    logger: createLogger("silent", new PassThrough()),
  });
  return { count, asked, pass: (ms: number) => (now += ms) };
}

describe("the count of a batch's rows", () => {
  it("is made once a minute, of every open batch, and adds up what is off", async () => {
    const { count, asked, pass } = setup({ a: 2, b: 1 });
    await count.count(["a", "b", "gone", "c"]);
    expect([asked, count.off]).toEqual([["a", "b", "gone", "c"], 3]);
    pass(MINUTE - 1);
    await count.count(["c"]);
    expect(count.off).toBe(3);
    pass(1);
    await count.count(["c"]);
    expect([asked.length, count.off]).toEqual([5, 0]);
  });

  it("goes on for an hour after a batch's end, or one that ends within minutes would be told to nobody", async () => {
    const { count, asked, pass } = setup({ short: 2 });
    count.ended("short");
    for (let minutes = 0; minutes <= 60; minutes += 1) {
      await count.count([]);
      expect(count.off, `after ${minutes} minutes`).toBe(2);
      pass(MINUTE);
    }
    await count.count([]);
    expect([asked.length, count.off]).toEqual([61, 0]);
  });

  it("is told by the worker that feeds, and by no other", async () => {
    await using bundle = await startWorkerBundle();
    const batches = new BatchBundle(bundle.redis, bundle.settings);
    const { id } = await batches.submit(batches.rows(5, (row) => madeUpMobile(row)));
    await bundle.redis.client().hincrby(batchKey(QUEUE, id), "n:s", 2);
    const workers = [await bundle.startWorker(), await bundle.startWorker()];
    const told = async (): Promise<string[]> => {
      const pages = workers.map(async ({ metricsPort }) => {
        const page = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
        return /^satyapan_batch_rows_miscounted\{queue="\{eko-0\}"\} (.+)$/m.exec(page)?.[1] ?? "nothing";
      });
      return await Promise.all(pages);
    };
    await expect.poll(async () => (await told()).toSorted(), { timeout: 15_000 }).toEqual(["2", "nothing"]);
    await expect.poll(async () => (await batches.get(id)).state, { timeout: 15_000 }).toBe("finished");
    expect((await told()).toSorted()).toEqual(["2", "nothing"]);
  });
});
