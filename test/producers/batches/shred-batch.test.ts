import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../../simulator/people.ts";
import { Shredding } from "../../../producers/keys/shredding.ts";
import { ErrorCode } from "../../../src/base/error.ts";
import { connectKeys } from "../../../producers/keys/connect-keys.ts";
import type { UseKeys } from "../../../producers/keys/key-deps.ts";
import { BatchBundle } from "../../support/batch-bundle.ts";
import { startWorkerBundle } from "../../support/worker.ts";

describe("shredding", () => {
  it("of a batch takes its rows, its results and its jobs; of one row's job that alone, once the batch is over", async () => {
    await using bundle = await startWorkerBundle({ env: { CALL_ATTEMPTS: "1" } });
    const batches = new BatchBundle(bundle.redis, bundle.settings);
    const redis = bundle.redis.client();
    const use: UseKeys = async (work) =>
      await work(connectKeys(redis, redis, bundle.settings, Date.now, "command:test"));
    const shredding = new Shredding(use);
    const { id } = await batches.submit(
      batches.rows(3, (row) => madeUpMobile(row, "500")),
      { stopAt: null },
    );
    await bundle.client.batches.pause(id);
    await bundle.startWorker();
    await bundle.client.batches.resume(id);
    expect((await batches.ended(id)).counts.failed).toBe(3);
    const signal = AbortSignal.timeout(60_000);
    await shredding.shred({ kind: "job", id: `${id}-1` }, { signal });
    // The others, and what is kept of all of them, are as they were.
    expect((await batches.results(id)).map(({ ref, state }) => [ref, state])).toEqual([
      ["ref-1", "failed"],
      ["ref-2", "failed"],
      ["ref-3", "failed"],
    ]);
    await shredding.shred({ kind: "batch", name: id }, { signal });
    const after = new BatchBundle(bundle.redis, bundle.settings);
    expect((await after.results(id)).map(({ ref, state, reason }) => [ref, state, reason])).toEqual([
      [null, "failed", null],
      [null, "failed", null],
      [null, "failed", null],
    ]);
    const open = await batches.submit(
      batches.rows(2, (row) => madeUpMobile(10 + row, "500")),
      { stopAt: null },
    );
    await shredding.shred({ kind: "batch", name: open.id }, { signal });
    const ended = await batches.ended(open.id);
    expect(ended).toMatchObject({ state: "finished_with_errors", counts: { failed: 2 } });
    expect((await after.results(open.id)).map(({ state }) => state)).toEqual(["failed", "failed"]);
    const refused = shredding.shred({ kind: "job", id: `${id}-9` }, { signal });
    await expect(refused).rejects.toMatchObject({ code: ErrorCode.UNKNOWN_JOB });
  });
});
