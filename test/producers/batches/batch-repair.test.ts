import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { Client } from "../../../producers/client.ts";
import { madeUpMobile } from "../../../simulator/people.ts";
import type { MendedRow } from "../../../producers/batches/batch-repair.ts";
import { Chunks } from "../../../src/batches/chunks.ts";
import { readResults } from "../../../src/batches/read-results.ts";
import { RepairStore } from "../../../src/batches/repair-store.ts";
import { noRows } from "../../../src/batches/row-state.ts";
import { openKeyChain } from "../../../src/privacy/keys/key-chain.ts";
import { RedisAccess } from "../../../src/redis/access.ts";
import { Secret } from "../../../src/secrets/secret.ts";
import { BatchBundle } from "../../support/batch-bundle.ts";
import { cuttingProxy } from "../../support/cutting-proxy.ts";
import { readTestEnv } from "../../support/env.ts";
import { meanwhile } from "../../support/meanwhile.ts";
import { startWorkerBundle } from "../../support/worker.ts";

/** By the endings of numbers: 000 succeeds, 998 is rejected, 500 fails, 902 is unknown. */
const ENDINGS = ["000", "998", "500", "902", "998"];

async function startBundle() {
  const bundle = await startWorkerBundle({ env: { CALL_ATTEMPTS: "1" } });
  const batches = new BatchBundle(bundle.redis, bundle.settings);
  /** The rows as the file's owner mended them: those given, with numbers that succeed. */
  const mended = (rows: readonly number[], repaired = 0, ending = "000"): MendedRow[] => {
    const all = batches.rows(ENDINGS.length, (row) => madeUpMobile(100 + row, ending));
    return all.filter(({ row }) => rows.includes(row)).map((row) => ({ ...row, repaired }));
  };
  const submit = async () =>
    await batches.submit(
      batches.rows(ENDINGS.length, (row) => madeUpMobile(row, ENDINGS[row - 1])),
      { stopAt: null },
    );
  const { client } = bundle;
  const called = (): string[] => bundle.simulator.outbox.map(({ to }) => to);
  const settled = async (id: string) => {
    await batches.recount(id);
    return await batches.show(id);
  };
  return {
    ...bundle,
    client,
    batches,
    mended,
    submit,
    called,
    settled,
    [Symbol.asyncDispose]: bundle[Symbol.asyncDispose],
  };
}

describe("rows that come back mended", () => {
  it("are never told with the results of their end before, nor as mended with what they were", async () => {
    await using bundle = await startBundle();
    const { redis, settings, client, batches, mended, submit } = bundle;
    const { id } = await submit();
    await bundle.startWorker();
    const batch = await batches.ended(id).then(async () => await batches.get(id));
    // While somebody reads the results, row 2 comes back mended and succeeds, just before its state is read.
    await using beside = await meanwhile(
      redis,
      /getrange/,
      async () => {
        await client.batches.repairChecked(id, mended([2]));
        await batches.ended(id);
      },
      /:out/,
    );
    const { dataKeys } = openKeyChain(beside.client, settings, Date.now);
    const opened = { repairs: new RepairStore(beside.client), chunks: new Chunks(beside.client, dataKeys) };
    const [, second] = await Array.fromAsync(readResults(opened, batch));
    expect(second).toMatchObject({ row: 2, state: "succeeded", code: null, reason: null, repaired: 1 });
    expect(Object.values(second?.columns ?? {})).toContain(`XXXXXX${madeUpMobile(102, "000").slice(6)}`);
  });

  it("run once more in the batch that was over, with what was mended, and are counted there", async () => {
    await using bundle = await startBundle();
    const { client, batches, mended, submit, settled, called } = bundle;
    const { id } = await submit();
    await bundle.startWorker();
    expect(await batches.ended(id)).toMatchObject({ state: "finished_with_errors" });
    const before = called();
    const view = await client.batches.repairChecked(id, mended([2, 3, 5]));
    expect(view).toMatchObject({ id, mended: 3, mended_before: 0, rows: 5, state: "running", ended_at: null });
    const { counts } = await batches.ended(id);
    expect(counts).toEqual({ ...noRows(), succeeded: 4, unknown: 1 });
    await settled(id);
    expect(called().slice(before.length).toSorted()).toEqual(
      [102, 103, 105].map((n) => madeUpMobile(n, "000")).toSorted(),
    );
    const results = await batches.results(id);
    expect(results.map(({ row, state, repaired, ref }) => [row, state, repaired, ref])).toEqual([
      [1, "succeeded", 0, "ref-1"],
      [2, "succeeded", 1, "ref-2"],
      [3, "succeeded", 1, "ref-3"],
      [4, "unknown", 0, "ref-4"],
      [5, "succeeded", 1, "ref-5"],
    ]);
    expect(results[1]?.columns["Mobile No"]).toBe(`XXXXXX${madeUpMobile(102, "000").slice(6)}`);
    // The first job is not tried again by anybody: it was for what stands there no more.
    expect(await client.get(`${id}-3`)).toBeNull();
    expect(await client.get(`${id}-3r1`)).toMatchObject({ state: "succeeded" });
    // Still kept no longer than any batch that is over.
    for (const key of ["", ":states", ":columns", ":out", ":again"])
      expect(await bundle.redis.client().pttl(`satyapan:{eko-0}:batch:${id}${key}`)).toBeGreaterThan(0);
    expect(await bundle.redis.client().exists(`satyapan:{eko-0}:batch:${id}:in`)).toBe(0);
  });

  it("are not among the reasons any more, which count what others came to", async () => {
    await using bundle = await startBundle();
    const { client, batches, mended, submit } = bundle;
    const { id } = await submit();
    await bundle.startWorker();
    await batches.ended(id);
    const reasons = async () => {
      for await (const { reasons: found, quota } of client.batches.watch(id)) {
        expect(quota).toEqual([{ max: 1_000, ms: 1_000, used: expect.any(Number) as number }]);
        return found.map(({ state, code, count }) => `${count} ${state} ${code ?? ""}`).toSorted();
      }
      return [];
    };
    expect(await reasons()).toEqual(["1 failed 1/544", "1 unknown unknown", "2 rejected 1/463"]);
    await client.batches.repairChecked(id, mended([2, 3]));
    expect(await reasons()).toEqual(["1 rejected 1/463", "1 unknown unknown"]);
    await batches.ended(id);
    await client.settle(`${id}-4`, "rejected", { reason: "it did not happen" });
    await expect.poll(reasons).toContain("1 rejected unknown");
    expect(await reasons()).toEqual(["1 rejected 1/463", "1 rejected unknown"]);
  });

  it("come back once, however often and by how many the same file is submitted", async () => {
    await using bundle = await startBundle();
    const { client, batches, mended, submit, called } = bundle;
    const { id } = await submit();
    await bundle.startWorker();
    await batches.ended(id);
    const before = called().length;
    const both = await Promise.all([
      client.batches.repairChecked(id, mended([2, 5])),
      client.batches.repairChecked(id, mended([2, 5])),
    ]);
    expect(both.map(({ mended: count }) => count).toSorted((a, b) => a - b)).toEqual([0, 2]);
    await batches.ended(id);
    expect(await client.batches.repairChecked(id, mended([2, 5]))).toMatchObject({ duplicate: true, mended_before: 2 });
    // More of the same file later: only those.
    expect(await client.batches.repairChecked(id, mended([2, 3, 5]))).toMatchObject({ mended: 1, mended_before: 2 });
    await batches.ended(id);
    expect(called()).toHaveLength(before + 3);
  });

  it("are told to have come back by the very step that brought them, also where its answer was cut off", async () => {
    await using bundle = await startBundle();
    const { client, batches, mended, submit } = bundle;
    const { id } = await submit();
    await bundle.startWorker();
    await batches.ended(id);
    // From the first on Redis knows the script.
    await client.batches.repairChecked(id, mended([2]));
    await batches.ended(id);
    const step = /"event":"repair"/;
    await using proxy = await cuttingProxy(bundle.redis, { from: step, to: step });
    const { machine } = readTestEnv();
    await using cut = new Client({
      settings: { ...bundle.settings, redisUrl: new Secret(proxy.url, "hidden") },
      openRedis: async (settings) => await RedisAccess.open({ settings, stateDir: "", machine, onError: () => {} }),
      ...{ tmpDir: tmpdir(), actor: "library:test", now: Date.now },
    });
    proxy.arm();
    const [view] = await Promise.all([cut.batches.repairChecked(id, mended([3, 5])), proxy.cut]);
    expect(view).toMatchObject({ mended: 2, mended_before: 0 });
    expect((await batches.ended(id)).counts).toEqual({ ...noRows(), succeeded: 4, unknown: 1 });
  });

  it("are judged by what they come to, and not by how a batch that was over had ended", async () => {
    await using bundle = await startBundle();
    const { client, batches, mended, submit } = bundle;
    const { id } = await submit();
    const worker = await bundle.startWorker();
    await batches.ended(id);
    await worker.stop();
    expect((await batches.get(id)).since).toEqual(noRows());
    await client.batches.repairChecked(id, mended([2]));
    const judged = { succeeded: 1, rejected: 1, failed: 1, unknown: 1, waiting: 1 };
    expect((await batches.get(id)).since).toEqual({ ...noRows(), ...judged });
  });

  it("may come back again where rerun did not help, by the newer results alone", async () => {
    await using bundle = await startBundle();
    const { client, batches, mended, submit } = bundle;
    const { id } = await submit();
    await bundle.startWorker();
    await batches.ended(id);
    await client.batches.repairChecked(id, mended([2], 0, "998"));
    expect((await batches.ended(id)).counts.rejected).toBe(2);
    expect(await client.batches.repairChecked(id, mended([2]))).toMatchObject({ mended: 0, duplicate: true });
    expect(await client.batches.repairChecked(id, mended([2], 1))).toMatchObject({ mended: 1 });
    expect((await batches.ended(id)).counts).toMatchObject({ rejected: 1, succeeded: 2 });
    expect((await batches.results(id))[1]).toMatchObject({ state: "succeeded", repaired: 2 });
  });

  it("are refused, all of them, where one succeeded, is unknown, waits, or is none", async () => {
    await using bundle = await startBundle();
    const { client, batches, mended, submit, called } = bundle;
    const { id } = await submit();
    const refusal = async (rows: readonly MendedRow[]): Promise<string> =>
      await client.batches.repairChecked(id, rows).then(
        () => "accepted",
        (error: unknown) => (error as Error).message,
      );
    expect(await refusal(mended([1]))).toMatch(/row 1: waiting/);
    await bundle.startWorker();
    await batches.ended(id);
    const [calls, counts] = [called().length, (await batches.show(id)).counts];
    const said = await refusal(mended([1, 2, 4]));
    expect(said).toMatch(/none was/);
    expect(said).toMatch(/row 1: succeeded/);
    expect(said).toMatch(/row 4: unknown: it may have happened; settle it first/);
    expect(await refusal(mended([2]).map((row) => ({ ...row, row: 6 })))).toMatch(/has the rows 1 to 5/);
    expect(await refusal(mended([2], 1))).toMatch(/of another batch, or newer/);
    expect(await refusal([])).toMatch(/no row is mended/);
    expect((await batches.show(id)).counts).toEqual(counts);
    expect(called()).toHaveLength(calls);
    expect(await bundle.redis.client().keys("*:repair:*")).toEqual([]);
  });

  it("leave the person alone whom they were about before, and call nobody whom another row has", async () => {
    await using bundle = await startBundle();
    const { client, batches, mended, submit } = bundle;
    const { id } = await submit();
    await bundle.startWorker();
    await batches.ended(id);
    // Row 3 is row 1's person by now.
    const [two, five] = mended([2, 5]) as [MendedRow, MendedRow];
    const third = batches.rows(1, () => madeUpMobile(1, "000"))[0];
    if (third === undefined) throw new Error("no row");
    await client.batches.repairChecked(id, [two, { ...third, row: 3, repaired: 0 }, five]);
    expect((await batches.ended(id)).counts).toMatchObject({ succeeded: 3, duplicate: 1 });
    const other = await batches.submit(batches.rows(1, () => madeUpMobile(2, "998")));
    expect(other.counts.duplicate).toBe(0);
    const same = await batches.submit(batches.rows(1, () => madeUpMobile(102, "000")));
    expect(same.counts.duplicate).toBe(1);
  });

  it("wait in a batch that is paused, and go on with it", async () => {
    await using bundle = await startBundle();
    const { client, batches, mended } = bundle;
    const rows = batches.rows(ENDINGS.length, (row) => madeUpMobile(row, ENDINGS[row - 1]));
    const bad = rows.map((row) => (row.row === 2 ? { ...row, state: "skipped" as const, input: {} } : row));
    const { id } = await batches.submit(bad, { stopAt: null });
    await client.batches.pause(id);
    expect(await client.batches.repairChecked(id, mended([2]))).toMatchObject({
      state: "paused",
      counts: { waiting: 5 },
    });
    const entries = await bundle.redis.client().xrange("satyapan:{eko-0}:audit", "-", "+");
    const last = JSON.parse(entries.at(-1)?.[1][1] ?? "") as unknown;
    expect(last).toMatchObject({ kind: "batch", event: "repair", batch: id, jobs: 1, actor: "library:test" });
    await bundle.startWorker();
    await client.batches.resume(id);
    expect((await batches.ended(id)).counts).toMatchObject({ succeeded: 2, skipped: 0 });
    await client.batches.cancel(await submitPaused());
    const cancelled = (await client.batches.list())[0]?.id ?? "";
    await expect(client.batches.repairChecked(cancelled, mended([2]))).rejects.toThrow(
      /is cancelled: it takes no rows back/,
    );

    async function submitPaused(): Promise<string> {
      return (await batches.submit(batches.rows(2, (row) => madeUpMobile(200 + row, "000")))).id;
    }
  });
});
