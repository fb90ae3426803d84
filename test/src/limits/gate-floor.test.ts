import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bullmqPrefix } from "../../../src/queues/names.ts";
import { TicketLists } from "../../../src/queues/ticket-lists.ts";
import { newTicket } from "../../../src/queues/ticket.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";
import { newGate } from "./gate-bundle.ts";

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => await redis.stop());

const CLOSED = 4_000_000_000_000;

/** Interactive jobs that never end, and bulk entries behind them, as one worker takes both: what is at the front first. */
async function newLine() {
  const gate = await newGate(redis);
  const { client, queue, clock, key } = gate;
  const base = bullmqPrefix(queue);
  const jobsOf = new Map<string, string[]>();
  const lists = new TicketLists(client, queue);
  let entries = 0;
  const addBulk = async (size: number, rest = size): Promise<void> => {
    entries += 1;
    const { name } = newTicket({ size, lane: "bulk", verify: false }, `n${entries}`);
    const jobs = Array.from({ length: rest }, () => gate.newJob({ lane: "bulk", ticket: name }));
    await gate.store.create(queue, jobs);
    jobsOf.set(
      name,
      jobs.map(({ id }) => id),
    );
    await lists.put([{ name, ids: jobs.map(({ id }) => id) }], clock.now);
    await client.zadd(`${base}prioritized`, entries, name);
  };
  const begin = async (id: string, ticket: string | null) => {
    await clock.wait(1);
    return await gate.journal.begin(id, "ref", clock.now, ticket);
  };
  const callInteractive = async (): Promise<void> => {
    expect(await begin(await gate.create(), null)).toMatchObject({ kind: "run" });
  };
  /** The bulk entry at the front, if there is one, leaves it. */
  const taken = async (): Promise<string | null> => await client.rpop(`${base}wait`);
  const front = async (): Promise<string[]> => await client.lrange(`${base}wait`, 0, -1);
  const putBack = async (name: string): Promise<void> => {
    await lists.keep(name, { ids: jobsOf.get(name) ?? [], isWhole: true });
    await client.zadd(`${base}prioritized`, 0, name);
  };
  const close = async (): Promise<void> => void (await client.hset(key, "pause_until", CLOSED, "strikes", 1));
  const open = async (): Promise<void> => void (await client.hdel(key, "pause_until", "strikes"));
  const owed = async (): Promise<number> => Number((await gate.field("floor"))?.split(" ")[0] ?? 0);
  return { ...gate, addBulk, begin, callInteractive, taken, front, putBack, close, open, owed, jobsOf };
}

type Line = Awaited<ReturnType<typeof newLine>>;

/** Bulk's share of so many calls; each ticket meets a closed gate when it has called so many of its jobs. */
async function shareOf(line: Line, calls: number, turnedBackAfter = Infinity): Promise<number> {
  const { begin, callInteractive, taken, putBack, close, open, jobsOf } = line;
  const met = new Set<string>();
  let [all, bulk] = [0, 0];
  while (all < calls) {
    const name = (await taken()) ?? "";
    const ids = jobsOf.get(name) ?? [];
    for (let n = 0; ids.length > 0; n += 1) {
      const isClosed = n === turnedBackAfter && !met.has(name);
      if (isClosed) await close();
      const { kind } = await begin(ids[0] ?? "", name);
      if (isClosed) {
        expect(kind).toBe("blocked");
        await putBack(name);
        await open();
        met.add(name);
        break;
      }
      expect(kind).toBe("run");
      ids.shift();
      [all, bulk] = [all + 1, bulk + 1];
    }
    await callInteractive();
    all += 1;
  }
  return bulk / all;
}

describe("bulk's floor", () => {
  it.each([1, 12, 64])("is a tenth of 1,000 calls with tickets of %i", async (size) => {
    const line = await newLine();
    for (let n = 0; n * size < 300; n += 1) await line.addBulk(size);
    const share = await shareOf(line, 1_000);
    // A ticket more or less.
    expect(share).toBeGreaterThanOrEqual(0.1 - size / 1_000);
    expect(share).toBeLessThanOrEqual(0.1 + size / 1_000);
    expect(share).toBeGreaterThan(0.05);
  });

  it.each([12, 64])("stays so where tickets of %i are turned back in the middle", async (size) => {
    const line = await newLine();
    for (let n = 0; n * size < 400; n += 1) await line.addBulk(size);
    const share = await shareOf(line, 1_000, size / 2);
    expect(share).toBeGreaterThanOrEqual(0.1 - size / 1_000);
    expect(share).toBeLessThanOrEqual(0.1 + size / 1_000);
    expect(share).toBeGreaterThan(0.05);
  });

  it("owes nothing and is owed nothing for ever: what bulk had too much is worked off", async () => {
    const line = await newLine();
    await line.addBulk(64);
    for (let n = 0; n < 10; n += 1) await line.callInteractive();
    const name = (await line.taken()) ?? "";
    for (const id of line.jobsOf.get(name) ?? []) await line.begin(id, name);
    expect(await line.owed()).toBeLessThan(-50);
    for (let n = 0; n < 640; n += 1) await line.callInteractive();
    expect(await line.owed()).toBe(0);
    await line.addBulk(1);
    for (let n = 0; n < 10; n += 1) await line.callInteractive();
    expect(await line.front()).toHaveLength(1);
  });

  it("brings the next where the jobs of the last were called no more", async () => {
    const line = await newLine();
    await line.addBulk(12);
    await line.addBulk(12);
    for (let n = 0; n < 10; n += 1) await line.callInteractive();
    const name = (await line.taken()) ?? "";
    for (const id of line.jobsOf.get(name) ?? []) {
      await line.store.abandon(line.queue, id, "cancelled", "not wanted", line.clock.now);
      expect(await line.begin(id, name)).toMatchObject({ kind: "settled" });
    }
    for (let n = 0; n < 10; n += 1) await line.callInteractive();
    expect(await line.front()).toHaveLength(1);
  });

  it("brings the next where the last had fewer jobs left than its name tells", async () => {
    const line = await newLine();
    await line.addBulk(64, 2);
    await line.addBulk(64);
    for (let n = 0; n < 10; n += 1) await line.callInteractive();
    const name = (await line.taken()) ?? "";
    for (const id of line.jobsOf.get(name) ?? []) expect(await line.begin(id, name)).toMatchObject({ kind: "run" });
    for (let n = 0; n < 30; n += 1) await line.callInteractive();
    expect(await line.front()).toHaveLength(1);
  });

  it("brings the next after a second where the last was lost", async () => {
    const line = await newLine();
    await line.addBulk(64);
    await line.addBulk(64);
    for (let n = 0; n < 10; n += 1) await line.callInteractive();
    await line.taken();
    for (let n = 0; n < 30; n += 1) await line.callInteractive();
    expect(await line.front()).toEqual([]);
    await line.clock.wait(1_000);
    await line.callInteractive();
    expect(await line.front()).toHaveLength(1);
  });

  it("brings the next where the gate turned a single job back, whatever closed it", async () => {
    const line = await newLine();
    await line.addBulk(1);
    await line.addBulk(1);
    for (let n = 0; n < 10; n += 1) await line.callInteractive();
    const name = (await line.taken()) ?? "";
    await line.close();
    expect(await line.begin(line.jobsOf.get(name)?.[0] ?? "", name)).toMatchObject({ kind: "blocked" });
    await line.putBack(name);
    await line.open();
    await line.callInteractive();
    expect(await line.front()).toEqual([name]);
  });

  it("brings one entry at a time to the front, however many calls go by in one moment", async () => {
    const line = await newLine();
    for (let n = 0; n < 10; n += 1) await line.addBulk(12);
    for (let n = 0; n < 100; n += 1) await line.callInteractive();
    expect(await line.front()).toHaveLength(1);
  });
});
