import { describe, expect, it, vi } from "vitest";
import { LazyConnections } from "../../../producers/base/client-connections.ts";
import { findBatch } from "../../../producers/batches/find-batch.ts";
import { senders } from "../../../producers/batches/seat.ts";
import { madeUpMobile } from "../../../simulator/people.ts";
import type { BatchWishes } from "../../../producers/batches/batch-terms.ts";
import type { Sender } from "../../../producers/batches/talk.ts";
import { noRows } from "../../../src/batches/row-state.ts";
import { SeatStore } from "../../../src/batches/seat-store.ts";
import { AuditLog } from "../../../src/privacy/audit/log.ts";
import { RedisAccess } from "../../../src/redis/access.ts";
import { BatchBundle } from "../../support/batch-bundle.ts";
import { readTestEnv } from "../../support/env.ts";
import { startWorkerBundle, type WorkerBundle } from "../../support/worker.ts";

const mobileOf = (row: number): string => madeUpMobile(row, "000");

async function startBundle(count: number, wishes: BatchWishes = {}) {
  const bundle = await startWorkerBundle();
  const batches = new BatchBundle(bundle.redis, bundle.settings);
  const rows = batches.flowRows("eko.mobile", count, (row) => ({ mobile: mobileOf(row), csp_id: "9000000001" }));
  const { id } = await batches.submit(rows, { flow: "eko.mobile", stopAt: null, ...wishes });
  const codeOf = async ({ row }: Sender): Promise<string> => (await bundle.simulator.waitForOtp(mobileOf(row))).otp;
  return { ...bundle, batches, id, codeOf, [Symbol.asyncDispose]: async () => await bundle[Symbol.asyncDispose]() };
}

async function next(seat: AsyncGenerator<Sender, void>): Promise<Sender> {
  const found: IteratorResult<Sender, void> = await seat.next();
  if (found.done === true) throw new Error("the seat has nobody to talk to any more");
  return found.value;
}

/** The audit log's lines, when every worker has stopped. */
async function auditOf({ redis }: WorkerBundle): Promise<string> {
  const blocks = await new AuditLog(redis.client()).after("0", 1_000);
  return blocks.flatMap(({ lines }) => lines).join("\n");
}

const wrong = (code: string): string => `${code.slice(0, -1)}${(Number(code.at(-1)) + 1) % 10}`;

describe("an operator's seat", () => {
  it("keeps nobody whose operator left while the sender was looked up", async () => {
    await using bundle = await startBundle(1);
    const { client, id, batches } = bundle;
    await bundle.startWorker();
    await expect.poll(async () => (await batches.show(id)).counts.awaiting_otp).toBe(1);
    const left = new AbortController();
    // oxlint-disable-next-line typescript/unbound-method -- called with its own `this` below.
    const handOver = SeatStore.prototype.next;
    const looked = vi.spyOn(SeatStore.prototype, "next").mockImplementationOnce(async function (
      this: SeatStore,
      ...of
    ) {
      const row = await handOver.apply(this, of);
      left.abort();
      return row;
    });
    expect((await client.batches.seat(id, { operator: "asha", signal: left.signal }).next()).done).toBe(true);
    expect(await looked.mock.results[0]?.value).toBe(1);
    looked.mockRestore();
    // A seat that nobody gives back is another's after half a minute.
    const signal = AbortSignal.timeout(15_000);
    await using other = client.batches.seat(id, { operator: "ravi", signal });
    expect(await next(other)).toMatchObject({ row: 1 });
  });

  it("hands each sender to one of several operators, takes the codes, and ends with the batch", async () => {
    await using bundle = await startBundle(12, { open: 4 });
    const { client, id, batches, codeOf } = bundle;
    await bundle.startWorker();
    const talked: { operator: string; row: number }[] = [];
    const now = new Set<number>();
    const work = async (operator: string): Promise<void> => {
      for await (const sender of client.batches.seat(id, { operator })) {
        expect(now.has(sender.row)).toBe(false);
        now.add(sender.row);
        talked.push({ operator, row: sender.row });
        expect(sender).toMatchObject({ ref: `ref-${sender.row}`, number: `XXXXXX${mobileOf(sender.row).slice(6)}` });
        expect(await sender.answer(await codeOf(sender))).toEqual({ kind: "right" });
        now.delete(sender.row);
      }
    };
    await Promise.all([work("asha"), work("ravi")]);
    expect((await batches.show(id)).counts).toEqual({ ...noRows(), succeeded: 12 });
    expect(talked.map(({ row }) => row).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 12 }, (_, index) => index + 1),
    );
    expect(new Set(talked.map(({ operator }) => operator))).toEqual(new Set(["asha", "ravi"]));
  });

  it("says what a code was, and leaves the other tries", async () => {
    await using bundle = await startBundle(1);
    const { client, id, batches, codeOf } = bundle;
    await bundle.startWorker();
    const seat = client.batches.seat(id);
    const sender = await next(seat);
    const code = await codeOf(sender);
    expect(sender.tries_left).toBe(3);
    await expect(sender.answer("12")).rejects.toThrow(/code: must be 4 to 8 digits/);
    expect(await sender.answer(wrong(code))).toEqual({ kind: "wrong", tries_left: 2 });
    expect(await sender.answer(wrong(wrong(code)))).toEqual({ kind: "wrong", tries_left: 1 });
    const last = await sender.answer(wrong(wrong(wrong(code))));
    expect(last).toMatchObject({ kind: "over" });
    await seat.return(undefined);
    expect((await batches.ended(id)).counts.rejected).toBe(1);
  });

  it("ends the row of a wrong number and of who refuses, and writes down who said so", async () => {
    await using bundle = await startBundle(2);
    const { client, id, batches } = bundle;
    const worker = await bundle.startWorker();
    const seat = client.batches.seat(id, { operator: "asha" });
    expect(await (await next(seat)).wrongNumber()).toBe("done");
    expect(await (await next(seat)).refused()).toBe("done");
    expect((await seat.next()).done).toBe(true);
    expect((await batches.ended(id)).counts).toEqual({ ...noRows(), rejected: 2 });
    const results = await batches.results(id);
    expect(new Set(results.map(({ code, reason }) => `${code}: ${reason}`))).toEqual(
      new Set(["refused: the person does not want to be onboarded", "wrong-number: somebody else has this number"]),
    );
    await worker.stop();
    expect((await auditOf(bundle)).match(/"kind":"cancel","actor":"library:asha"/g)).toHaveLength(2);
  });

  it("ends no row whose code another brought at that moment, and writes down no end that did not come", async () => {
    await using bundle = await startBundle(1);
    const { client, id, batches, settings, codeOf } = bundle;
    const worker = await bundle.startWorker();
    const { machine } = readTestEnv();
    const openRedis = async (): Promise<RedisAccess> =>
      await RedisAccess.open({ settings, stateDir: "/nowhere", machine, onError: () => {} });
    const connections = new LazyConnections({ settings, openRedis, now: Date.now });
    const actor = { name: "library:asha", now: Date.now };
    const batch = await findBatch(batches.store, id);
    const seat = senders({ settings, connections, actor }, batch, {});
    const sender = await next(seat);
    const code = await codeOf(sender);
    // Between its look at the challenge and its step that ends the row.
    let isGiven = false;
    const { redis } = await connections.connect();
    const evalsha = redis.evalsha.bind(redis) as (...args: unknown[]) => Promise<unknown>;
    vi.spyOn(redis, "evalsha").mockImplementation(async (...args: unknown[]) => {
      const isGiving = args.includes("rejected") && !isGiven;
      isGiven ||= isGiving;
      if (isGiving) await client.answer(sender.onboarding, code);
      return await evalsha(...args);
    });
    await expect(sender.wrongNumber()).rejects.toThrow(/somewhere else by now/);
    expect(isGiven).toBe(true);
    await seat.return(undefined);
    await connections.close();
    expect((await batches.ended(id)).counts).toEqual({ ...noRows(), succeeded: 1 });
    await worker.stop();
    const entries = await auditOf(bundle);
    expect(entries).toContain(`${sender.onboarding}-send-v1`);
    expect(entries).not.toContain('"kind":"cancel"');
  });

  it("that is silent loses its sender to another, and then changes nothing any more", async () => {
    await using bundle = await startBundle(1);
    const { client, id, batches, codeOf } = bundle;
    await bundle.startWorker();
    // As one whose process stands still: it does not say in time that it is there.
    const silent = await next(client.batches.seat(id, { operator: "ravi", seatMs: 300 }));
    const other = await next(client.batches.seat(id, { operator: "asha" }));
    expect(other.row).toBe(silent.row);
    const code = await codeOf(other);
    expect(await silent.answer(code)).toEqual({ kind: "lost" });
    expect(await silent.wrongNumber()).toBe("lost");
    expect(await silent.later()).toBe("lost");
    expect(await other.answer(code)).toEqual({ kind: "right" });
    expect((await batches.ended(id)).counts.succeeded).toBe(1);
  });

  it("has others first when one is to be talked to later, and gives back whom it leaves", async () => {
    await using bundle = await startBundle(2);
    const { client, id, codeOf } = bundle;
    await bundle.startWorker();
    const seat = client.batches.seat(id);
    const first = await next(seat);
    expect(await first.later()).toBe("done");
    const second = await next(seat);
    expect(second.row).not.toBe(first.row);
    await seat.return(undefined);
    const again = await next(client.batches.seat(id));
    expect(again.row).toBe(second.row);
    expect(await again.answer(await codeOf(again))).toEqual({ kind: "right" });
  });
});
