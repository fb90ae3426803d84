import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { parseSettings } from "../../src/config/parse-settings.ts";
import { OPERATIONS } from "../../src/operations/catalogue.ts";
import { noRows } from "../../src/batches/row-state.ts";
import { BatchBundle } from "../support/batch-bundle.ts";
import { bundleEnv, startWorkerBundle } from "../support/worker.ts";

/** What the simulator does for each: 000 succeeds. */
const good = (row: number): string => madeUpMobile(row, "000");

async function startBundle(env: Readonly<Record<string, string>> = {}) {
  const bundle = await startWorkerBundle({ env });
  const batches = new BatchBundle(bundle.redis, bundle.settings);
  const called = (): string[] => bundle.simulator.outbox.map(({ to }) => to);
  return { ...bundle, batches, called, [Symbol.asyncDispose]: async () => await bundle[Symbol.asyncDispose]() };
}

describe("a batch", () => {
  it("runs each of its rows once, and counts of every row how it ended", async () => {
    await using bundle = await startBundle();
    const { batches, called } = bundle;
    const { id, state, counts } = await batches.submit(batches.rows(600, good));
    expect([state, counts]).toEqual(["ready", { ...noRows(), waiting: 600 }]);
    await bundle.startWorker();
    const ended = await batches.ended(id);
    expect(ended).toMatchObject({ state: "finished", counts: { ...noRows(), succeeded: 600 } });
    await batches.recount(id);
    expect([called().length, new Set(called()).size]).toEqual([600, 600]);
  });

  it("is begun at once by a worker that has had none to look after", async () => {
    await using bundle = await startBundle();
    const { batches, called } = bundle;
    await bundle.startWorker();
    await batches.submit(batches.rows(1, good));
    // Otherwise its next look is ten seconds after the first.
    await expect.poll(called, { timeout: 4_000 }).toHaveLength(1);
  });

  it("says of each row how it ended, by what the provider knows it, and of whom nothing but masks", async () => {
    await using bundle = await startBundle({ CALL_ATTEMPTS: "1" });
    const { batches } = bundle;
    const endings = ["000", "998", "902", "500"];
    const { id } = await batches.submit(batches.rows(4, (row) => madeUpMobile(row, endings[row - 1])));
    await bundle.startWorker();
    const ended = await batches.ended(id);
    expect(ended).toMatchObject({
      state: "finished_with_errors",
      counts: { succeeded: 1, rejected: 1, unknown: 1, failed: 1 },
    });
    const results = await batches.results(id);
    expect(results.map(({ row, ref, state, code, attempts }) => [row, ref, state, code, attempts])).toEqual([
      [1, "ref-1", "succeeded", "0/1623", 1],
      [2, "ref-2", "rejected", "1/463", 1],
      [3, "ref-3", "unknown", "unknown", 1],
      [4, "ref-4", "failed", "1/544", 1],
    ]);
    expect(results[0]).toMatchObject({
      result: { otp_sent: true, mobile: expect.stringMatching(/^XXXXXX\d{4}$/) as string },
      client_ref_id: `${id}-101`,
      columns: { "Mobile No": expect.stringMatching(/^XXXXXX\d{4}$/) as string },
    });
    expect(results[3]?.reason).toMatch(/bank is not available/);
    expect((await batches.results(id, ["failed", "unknown"])).map(({ row }) => row)).toEqual([3, 4]);
  });

  it("counts anew what a person decides of a row afterwards, and what is tried again", async () => {
    await using bundle = await startBundle({ CALL_ATTEMPTS: "1" });
    const { batches, client } = bundle;
    const endings = ["902", "902", "500"];
    const { id } = await batches.submit(
      batches.rows(3, (row) => madeUpMobile(row, endings[row - 1])),
      { stopAt: null },
    );
    await bundle.startWorker();
    expect((await batches.ended(id)).counts).toMatchObject({ unknown: 2, failed: 1 });
    await client.settle(`${id}-1`, "succeeded", { reason: "the provider says so" });
    await client.settle(`${id}-2`, "rejected", { reason: "it did not happen" });
    await client.failed.retry({ ids: [`${id}-3`] });
    const counts = async (): Promise<unknown> => (await batches.show(id)).counts;
    await expect.poll(counts).toMatchObject({ succeeded: 2, rejected: 1, unknown: 0, failed: 0 });
    expect((await batches.results(id)).map(({ state }) => state)).toEqual(["succeeded", "rejected", "succeeded"]);
    await batches.recount(id);
  });

  it("that is paused makes no further call, and goes on where it was", async () => {
    await using bundle = await startBundle({ EKO_QUOTA: "20/1s" });
    const { batches, client, called } = bundle;
    const { id } = await batches.submit(batches.rows(80, good));
    await bundle.startWorker();
    await expect.poll(() => called().length, { interval: 5 }).toBeGreaterThan(10);
    expect(await client.batches.pause(id, "the bank asked for it")).toMatchObject({
      state: "paused",
      reason: "the bank asked for it",
    });
    const pausedAt = Date.now();
    await expect.poll(async () => await inAir(), { timeout: 5_000, interval: 10 }).toBe(0);
    const after = bundle.simulator.outbox.filter(({ at }) => at > pausedAt + 1_000);
    expect(after).toEqual([]);
    const { counts } = await batches.show(id);
    expect(counts.waiting).toBeGreaterThan(0);
    expect(counts.waiting + counts.succeeded).toBe(80);
    await client.batches.resume(id);
    expect((await batches.ended(id)).counts.succeeded).toBe(80);
    expect([called().length, new Set(called()).size]).toEqual([80, 80]);

    async function inAir(): Promise<number> {
      const { counts: now } = await batches.show(id);
      return now.queued + now.calling;
    }
  });

  it("that is cancelled calls nobody any more, and says of the others how they ended", async () => {
    await using bundle = await startBundle({ EKO_QUOTA: "20/1s" });
    const { batches, client, called } = bundle;
    const { id } = await batches.submit(batches.rows(80, good));
    await bundle.startWorker();
    await expect.poll(() => called().length, { interval: 5 }).toBeGreaterThan(10);
    const cancelled = await client.batches.cancel(id);
    expect(cancelled).toMatchObject({ state: "cancelled", counts: { waiting: 0 } });
    await expect.poll(async () => (await batches.show(id)).ended_at).not.toBeNull();
    const { counts, state } = await batches.show(id);
    expect(state).toBe("cancelled");
    expect(counts).toEqual({ ...noRows(), succeeded: called().length, cancelled: 80 - called().length });
    expect(called().length).toBeLessThan(80);
    await expect(client.batches.resume(id)).rejects.toThrow(/cancelled/);
    await batches.recount(id);
  });

  it("stops by itself when too many rows go wrong, and says why; resume counts from there on", async () => {
    await using bundle = await startBundle();
    const { batches, client } = bundle;
    const { id } = await batches.submit(batches.rows(400, (row) => madeUpMobile(row, row % 2 === 0 ? "000" : "998")));
    await bundle.startWorker();
    await expect.poll(async () => (await batches.show(id)).state).toBe("stopped");
    expect((await batches.show(id)).reason).toMatch(
      /^\d+ of \d+ rows \(\d+(\.\d)?%\) failed or were rejected, more than 30%$/,
    );
    await expect.poll(async () => (await batches.show(id)).counts.queued).toBe(0);
    const before = (await batches.show(id)).counts.waiting;
    expect(before).toBeGreaterThan(0);
    await client.batches.resume(id);
    await expect.poll(async () => (await batches.show(id)).counts.waiting).toBeLessThan(before);
    await batches.recount(id);
  });

  it("says why nothing of it is handed over where the worker lacks its key, holds back no other, and goes on with one that has it", async () => {
    await using bundle = await startBundle();
    const { batches, settings, log } = bundle;
    const { id } = await batches.submit(batches.rows(5, good));
    const { keys } = parseSettings(
      {
        ...bundleEnv(bundle.simulator, bundle.redis.url),
        SATYAPAN_ENCRYPTION_KEYS: `k2:${randomBytes(32).toString("base64")}`,
      },
      { readFile: () => "", operations: OPERATIONS },
    );
    const foreign = await bundle.startWorker({ keys });
    await expect
      .poll(async () => (await batches.show(id)).reason)
      .toMatch(/^the worker that hands rows over lacks a key that seals this batch: /);
    expect(await batches.show(id)).toMatchObject({ state: "ready", counts: { waiting: 5 } });
    expect(log.filter((line) => line.includes("batch stands: this worker lacks what it takes"))).toHaveLength(1);
    const other = new BatchBundle(bundle.redis, { ...settings, keys });
    const theirs = await other.submit(
      other.rows(2, (row) => madeUpMobile(100 + row, "000")),
      { name: "theirs" },
    );
    expect((await other.ended(theirs.id)).counts.succeeded).toBe(2);
    await foreign.stop();
    await bundle.startWorker();
    expect(await batches.ended(id)).toMatchObject({ reason: null, counts: { succeeded: 5 } });
  });

  it("goes on with another worker when the one that fed it is gone, and loses no row", async () => {
    await using bundle = await startBundle({ EKO_QUOTA: "200/1s" });
    const { batches, called } = bundle;
    const { id } = await batches.submit(batches.rows(300, good));
    const first = await bundle.startWorker();
    await expect.poll(() => called().length, { interval: 5 }).toBeGreaterThan(50);
    await bundle.startWorker();
    await first.stop();
    expect((await batches.ended(id)).counts.succeeded).toBe(300);
    expect([called().length, new Set(called()).size]).toEqual([300, 300]);
  });
});
