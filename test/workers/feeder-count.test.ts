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

/** What a worker's metrics say of it. */
async function told(metricsPort: number | null): Promise<string> {
  const page = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  return /^satyapan_batch_rows_miscounted\{queue="\{eko-0\}"\} (.+)$/m.exec(page)?.[1] ?? "nothing";
}

/** Of ten rows, so many more are counted as succeeded than did. */
function setup(added: Readonly<Record<string, number>>) {
  const asked: string[] = [];
  const over = new Map<string, string>();
  let now = 1_000;
  const audit = async (_queue: string, id: string) => {
    asked.push(id);
    const bytes = { ...noRows(), succeeded: 10 };
    const counts = { ...bytes, succeeded: 10 + (added[id] ?? 0) };
    return await Promise.resolve(
      id === "gone" ? null : { rows: 10, counts, bytes, foreign: 0, updated: over.get(id) ?? "1" },
    );
  };
  const count = new RowCount({
    queue: QUEUE,
    store: { audit, over: async () => await Promise.resolve(over) },
    now: () => now,
    logger: createLogger("silent", new PassThrough()),
  });
  return { count, asked, over, pass: (ms: number) => (now += ms) };
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

  it("goes on after a batch's end while it is off, and else reads it again only where it was written to", async () => {
    const { count, asked, over, pass } = setup({ short: 2 });
    over.set("short", "1").set("well", "1");
    for (let minutes = 0; minutes < 3; minutes += 1) {
      await count.count([]);
      expect(count.off, `after ${minutes} minutes`).toBe(2);
      pass(MINUTE);
    }
    expect(asked).toEqual(["short", "well", "short", "short"]);
    over.set("well", "2");
    over.delete("short");
    await count.count([]);
    expect([asked.slice(4), count.off]).toEqual([["well"], 0]);
    // It is open again.
    pass(MINUTE);
    await count.count(["well"]);
    expect(asked.slice(5)).toEqual(["well"]);
  });

  it("is made for an hour after a batch's end, also by a worker that feeds since then: one that ends within minutes would be told to nobody", async () => {
    await using bundle = await startWorkerBundle();
    const batches = new BatchBundle(bundle.redis, bundle.settings);
    const { id } = await batches.submit(batches.rows(5, (row) => madeUpMobile(row)));
    const first = await bundle.startWorker();
    await batches.ended(id);
    await first.stop();
    await bundle.redis.client().hincrby(batchKey(QUEUE, id), "n:s", 2);
    const { metricsPort } = await bundle.startWorker();
    await expect.poll(async () => await told(metricsPort)).toBe("2");
    const at = Date.now();
    expect([...(await batches.store.over(QUEUE, at)).keys()]).toEqual([id]);
    expect((await batches.store.over(QUEUE, at + 61 * MINUTE)).size).toBe(0);
  });

  it("is told by the worker that feeds, and by no other", async () => {
    await using bundle = await startWorkerBundle();
    const batches = new BatchBundle(bundle.redis, bundle.settings);
    const { id } = await batches.submit(batches.rows(5, (row) => madeUpMobile(row)));
    await bundle.redis.client().hincrby(batchKey(QUEUE, id), "n:s", 2);
    const workers = [await bundle.startWorker(), await bundle.startWorker()];
    const toldByAll = async () => (await Promise.all(workers.map(({ metricsPort }) => told(metricsPort)))).toSorted();
    await expect.poll(toldByAll).toEqual(["2", "nothing"]);
    await expect.poll(async () => (await batches.get(id)).state).toBe("finished");
    expect(await toldByAll()).toEqual(["2", "nothing"]);
  });
});
