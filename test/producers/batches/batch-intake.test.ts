import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../../simulator/people.ts";
import { ErrorCode } from "../../../src/base/error.ts";
import type { BatchRow } from "../../../src/batches/batch-row.ts";
import { noRows } from "../../../src/batches/row-state.ts";
import { queueOf } from "../../../src/queues/names.ts";
import { BatchBundle } from "../../support/batch-bundle.ts";
import { type ClientBundle, startClientBundle } from "../../support/client.ts";

const EKO = queueOf("eko");
const person = (row: number): string => madeUpMobile(row, "000");

async function startBundle() {
  const client: ClientBundle = await startClientBundle();
  const batches = new BatchBundle(client.redis, client.settings);
  const keys = async (): Promise<string[]> => await client.redis.client().keys("satyapan:{eko-0}:batch:b*");
  return {
    client,
    batches,
    keys,
    redis: client.redis.client(),
    [Symbol.asyncDispose]: async () => await client[Symbol.asyncDispose](),
  };
}

describe("a submitted batch", () => {
  it("holds every row, sealed, and says what it is", async () => {
    await using bundle = await startBundle();
    const { batches, redis } = bundle;
    const view = await batches.submit(batches.rows(700, person), { name: "Tuesday" });
    expect(view).toMatchObject({ name: "Tuesday", operation: "eko.mobile-otp", state: "ready", rows: 700 });
    expect(view.counts).toEqual({ ...noRows(), waiting: 700 });
    await batches.recount(view.id);
    const stored = await redis.hgetallBuffer(`satyapan:${EKO}:batch:${view.id}:in`);
    expect(Object.keys(stored)).toEqual(["0", "1", "2"]);
    const all = Buffer.concat(Object.values(stored)).toString("latin1");
    expect(all).not.toContain(person(1));
    // It stays, whatever happens to the one who submitted it.
    expect(await redis.pttl(`satyapan:${EKO}:batch:${view.id}:in`)).toBe(-1);
  });

  it("is the same one when its content comes again, also when two submit it at once", async () => {
    await using bundle = await startBundle();
    const { batches, keys } = bundle;
    const rows = batches.rows(300, person);
    const both = await Promise.all([batches.submit(rows), batches.submit(rows)]);
    expect(new Set(both.map(({ id }) => id)).size).toBe(1);
    expect(both.filter(({ duplicate }) => duplicate === true)).toHaveLength(1);
    expect(await batches.submit(rows, { name: "another name" })).toMatchObject({ id: both[0]?.id, duplicate: true });
    expect(await keys()).toHaveLength(4);
    expect((await batches.show(both[0]?.id ?? "")).counts.waiting).toBe(300);
  });

  it("is known by the caller's own id, which names no other rows", async () => {
    await using bundle = await startBundle();
    const { batches, client } = bundle;
    const first = await batches.submit(batches.rows(3, person), { ownId: "file-17" });
    expect(await batches.submit(batches.rows(3, person), { ownId: "file-17" })).toMatchObject({
      id: first.id,
      duplicate: true,
    });
    await expect(batches.submit(batches.rows(4, person), { ownId: "file-17" })).rejects.toMatchObject({
      code: ErrorCode.ID_CONFLICT,
    });
    expect((await client.client.batches.show("file-17")).id).toBe(first.id);
    expect(await client.client.batches.list()).toHaveLength(1);
    await expect(client.client.batches.show("file-18")).rejects.toMatchObject({ code: ErrorCode.UNKNOWN_BATCH });
  });

  it("leaves nothing behind where its rows break off, and what a dead submitter left goes by itself and holds nobody back", async () => {
    await using bundle = await startBundle();
    const { batches, keys, redis } = bundle;
    const rows = batches.rows(600, person);
    async function* broken(): AsyncGenerator<BatchRow> {
      yield* rows.slice(0, 520);
      throw await Promise.resolve(new Error("the disk is gone"));
    }
    await expect(batches.submitFrom(broken())).rejects.toThrow("the disk is gone");
    expect(await keys()).toEqual([]);
    // Killed: it never comes to the end, nor to its tidying up.
    const { promise: never } = Promise.withResolvers<never>();
    const came = Promise.withResolvers<void>();
    async function* stuck(): AsyncGenerator<BatchRow> {
      yield* rows.slice(0, 520);
      came.resolve();
      yield await never;
    }
    void batches.submitFrom(stuck());
    await came.promise;
    for (const key of await keys()) expect(await redis.pttl(key)).toBeGreaterThan(0);
    expect(await redis.zcard(`satyapan:${EKO}:batch:open`)).toBe(0);
    expect((await batches.submit(rows)).counts).toEqual({ ...noRows(), waiting: 600 });
  });

  it("takes a person once: not twice in its rows, not while another open batch has them", async () => {
    await using bundle = await startBundle();
    const { batches } = bundle;
    const first = await batches.submit(batches.rows(300, (row) => person(row % 290)));
    expect(first.counts).toEqual({ ...noRows(), waiting: 290, duplicate: 10 });
    const twice = await batches.results(first.id, ["duplicate"]);
    expect(twice.map(({ row, reason }) => [row, reason]).slice(0, 2)).toEqual([
      [291, "the same person as row 1"],
      [292, "the same person as row 2"],
    ]);
    const second = await batches.submit(batches.rows(5, (row) => person(287 + row)));
    expect(second.counts).toEqual({ ...noRows(), waiting: 3, duplicate: 2 });
    const [held] = await batches.results(second.id, ["duplicate"]);
    expect(held?.reason).toBe(`the same person as row 288 of batch ${first.id}`);
    await batches.recount(second.id);
  });

  it("takes a person again whose row was cancelled", async () => {
    await using bundle = await startBundle();
    const { batches, client } = bundle;
    const first = await batches.submit(batches.rows(3, person));
    await client.client.batches.cancel(first.id);
    const second = await batches.submit(batches.rows(4, person));
    expect(second.counts).toEqual({ ...noRows(), waiting: 4 });
    expect((await batches.show(first.id)).counts).toEqual({ ...noRows(), cancelled: 3 });
  });

  it("counts rows that are left out, with why, and calls none of them", async () => {
    await using bundle = await startBundle();
    const { batches } = bundle;
    const [one, two, three] = batches.rows(3, person) as [BatchRow, BatchRow, BatchRow];
    const left: BatchRow = { ...two, state: "skipped", reason: "mobile: is missing", input: {} };
    const { id, counts } = await batches.submit([one, left, three]);
    expect(counts).toEqual({ ...noRows(), waiting: 2, skipped: 1 });
    expect((await batches.results(id))[1]).toMatchObject({ row: 2, state: "skipped", reason: "mobile: is missing" });
  });

  it("is refused without rows, for a verify, and with words that name a person", async () => {
    await using bundle = await startBundle();
    const { batches, keys } = bundle;
    const refused = async (act: Promise<unknown>): Promise<string> =>
      await act.then(
        () => "accepted",
        (error: unknown) => (error as Error).message,
      );
    expect(await refused(batches.submit([]))).toMatch(/no rows/);
    const verify = async (): Promise<unknown> => await batches.submit([], { operation: "eko.mobile-otp.verify" });
    expect(await refused(verify())).toMatch(/an OTP does not live as long/);
    const named = async (): Promise<unknown> => await batches.submit([], { name: "for 9123456780" });
    expect(await refused(named())).toMatch(/name: holds what looks like/);
    expect(await keys()).toEqual([]);
  });
});
