import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { JobQueues } from "../../src/queues/job-queues.ts";
import { queuePrefix, recordKey, ticketKey } from "../../src/queues/names.ts";
import { TicketLists } from "../../src/queues/ticket-lists.ts";
import type { RedisClient } from "../../src/redis/connection.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { LostTickets } from "../../workers/lost-tickets.ts";
import { meanwhile } from "../support/meanwhile.ts";
import { startWorkerBundle, type WorkerBundle } from "../support/worker.ts";

const QUEUE = "{eko-0}";
const BASE = `bull:${QUEUE}:`;
/** Shorter than BullMQ's longest sleep, 10 s: nothing has to wait for its end. */

const inputs = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => ({ mobile: madeUpMobile(from + index), csp_id: "agent-1" }));

/** Bulk jobs of so many persons, in tickets: their ids. */
async function submit({ client }: WorkerBundle, count: number, options = {}): Promise<string[]> {
  const records = await client.submitMany("eko.mobile-otp", inputs(count), { lane: "bulk", ...options });
  return records.map(({ id }) => id);
}

const names = async ({ redis }: WorkerBundle): Promise<string[]> =>
  await redis.client().zrange(`${BASE}prioritized`, "0", "-1");

const idsOf = async ({ redis }: WorkerBundle, name: string): Promise<string[]> =>
  ((await redis.client().get(ticketKey(QUEUE, name))) ?? "").split(" ").slice(1);

async function states({ client }: WorkerBundle, ids: readonly string[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const id of ids) {
    const state = (await client.get(id))?.state ?? "none";
    counts[state] = (counts[state] ?? 0) + 1;
  }
  return counts;
}

/** Of each person the calls that the provider saw. */
function callsOf({ simulator }: WorkerBundle): number[] {
  return [...Map.groupBy(simulator.requests, ({ person }) => person).values()].map((calls) => calls.length);
}

/** Looks for lost tickets, a minute from now, to the end; how many calls it took. */
async function look(bundle: WorkerBundle, mayGoOn = (): boolean => true): Promise<number> {
  const redis = bundle.redis.client();
  const queues = new JobQueues(redis, Date.now);
  const logger = createLogger("fatal", new Writable({ write: (_chunk, _encoding, done) => done() }));
  const now = (): number => Date.now() + 60_000;
  const tickets = new LostTickets({ redis, queues, logger, now });
  let calls = 1;
  while (await tickets.look(QUEUE, mayGoOn)) calls += 1;
  await queues.close();
  return calls;
}

/** Whether a look for lost tickets begins to go through all records. */
async function searches(redis: RedisClient): Promise<boolean> {
  const queues = new JobQueues(redis, Date.now);
  const logger = createLogger("fatal", new Writable({ write: (_chunk, _encoding, done) => done() }));
  const tickets = new LostTickets({ redis, queues, logger, now: () => Date.now() + 60_000 });
  const isSearching = await tickets.look(QUEUE, () => false);
  await queues.close();
  return isSearching;
}

const leftOver = async ({ redis }: WorkerBundle): Promise<string[]> =>
  await redis.client().keys(`${queuePrefix(QUEUE)}ticket*`);

it("a ticket that is done while lost ones are looked for is none of them", async () => {
  await using bundle = await startWorkerBundle();
  await submit(bundle, 2);
  const [name = ""] = await names(bundle);
  await using beside = await meanwhile(bundle.redis, /exists/, async (other) => {
    await new TicketLists(other, QUEUE).end(name);
    await other.del(`${BASE}${name}`);
  });
  expect(await searches(beside.client)).toBe(false);
});

describe("many bulk jobs", () => {
  it("are few entries of the queue, each person is called once, and nothing of the tickets is left", async () => {
    await using bundle = await startWorkerBundle();
    const ids = await submit(bundle, 100);
    expect(await names(bundle)).toHaveLength(2);
    await bundle.startWorker();
    await expect.poll(async () => await states(bundle, ids)).toEqual({ succeeded: 100 });
    expect(callsOf(bundle)).toEqual(Array.from({ length: 100 }, () => 1));
    await expect.poll(async () => await leftOver(bundle)).toEqual([]);
  });

  it("that are submitted twice have no second entries", async () => {
    await using bundle = await startWorkerBundle();
    await submit(bundle, 20, { id: "row" });
    const before = await names(bundle);
    const again = await bundle.client.submitMany("eko.mobile-otp", inputs(20), { lane: "bulk", id: "row" });
    expect(again.every(({ duplicate }) => duplicate === true)).toBe(true);
    expect(await names(bundle)).toEqual(before);
    expect(before).toHaveLength(1);
  });
});

describe("a job in a ticket", () => {
  it("has a place in line behind its mates", async () => {
    await using bundle = await startWorkerBundle();
    const ids = await submit(bundle, 64);
    const ahead = await Promise.all(ids.map(async (id) => (await bundle.client.explain(id))?.ahead));
    expect(ahead).toEqual(ids.map((_, index) => index));
  });

  it("that has an entry of its own beside it is called once", async () => {
    await using bundle = await startWorkerBundle();
    const ids = await submit(bundle, 10);
    const queues = new JobQueues(bundle.redis.client(), Date.now);
    await queues.add(
      QUEUE,
      ids.map((id) => ({ id, lane: "bulk", verify: false })),
    );
    await queues.close();
    await bundle.startWorker();
    await expect.poll(async () => await states(bundle, ids)).toEqual({ succeeded: 10 });
    expect(callsOf(bundle)).toEqual(Array.from({ length: 10 }, () => 1));
    await expect.poll(async () => await names(bundle)).toEqual([]);
  });

  it("whose person was just sent an OTP leaves it for an entry of its own, and holds no other up", async () => {
    await using bundle = await startWorkerBundle();
    const [same, ...others] = inputs(8);
    if (same === undefined) throw new Error("nobody");
    const jobs = await bundle.client.submitMany("eko.mobile-otp", [same, same, ...others], {
      lane: "bulk",
      ifPending: "wait",
    });
    expect(await names(bundle)).toHaveLength(1);
    await bundle.startWorker();
    const ids = jobs.map(({ id }) => id);
    await expect.poll(async () => await states(bundle, ids)).toEqual({ succeeded: 8, waiting: 1 });
    expect(bundle.simulator.requests).toHaveLength(8);
    const delayed = await bundle.redis.client().zrange(`${BASE}delayed`, "0", "-1");
    expect(delayed).toHaveLength(1);
    expect(ids).toContain(delayed[0]?.slice(2));
    await expect.poll(async () => await leftOver(bundle)).toEqual([]);
  });

  it("that expired in line is not called; its mates are", async () => {
    await using bundle = await startWorkerBundle();
    const ids = await submit(bundle, 10);
    const key = recordKey(QUEUE, ids[3] ?? "");
    const job = (await bundle.redis.client().hget(key, "job"))?.split(" ") ?? [];
    await bundle.redis.client().hset(key, "job", job.with(3, "1").join(" "));
    await bundle.startWorker();
    await expect.poll(async () => await states(bundle, ids)).toEqual({ succeeded: 9, expired: 1 });
    expect(bundle.simulator.requests).toHaveLength(9);
  });
});

describe("a slow call", () => {
  it("holds up neither its mates nor the tickets that come after it", async () => {
    await using bundle = await startWorkerBundle();
    bundle.simulator.configure({ latencyMs: { min: 5_000, max: 5_000 } });
    await bundle.startWorker();
    const [slow] = await submit(bundle, 1);
    await expect.poll(() => bundle.simulator.requests.length).toBe(1);
    bundle.simulator.configure({ latencyMs: { min: 0, max: 0 } });
    const records = await bundle.client.submitMany("eko.mobile-otp", inputs(200, 100), { lane: "bulk" });
    const ids = records.map(({ id }) => id);
    await expect.poll(async () => await states(bundle, ids)).toEqual({ succeeded: 200 });
    expect((await bundle.client.get(slow ?? ""))?.state).toBe("active");
  });
});

describe("a ticket that the queue has no more", () => {
  it("is found, and each of its jobs is called once", async () => {
    await using bundle = await startWorkerBundle();
    const ids = await submit(bundle, 10);
    const [name = ""] = await names(bundle);
    await bundle.redis.client().del(`${BASE}${name}`);
    await bundle.redis.client().zrem(`${BASE}prioritized`, name);
    await look(bundle);
    await look(bundle);
    expect(await names(bundle)).toHaveLength(10);
    await bundle.startWorker();
    await expect.poll(async () => await states(bundle, ids)).toEqual({ succeeded: 10 });
    expect(callsOf(bundle)).toEqual(Array.from({ length: 10 }, () => 1));
    expect(await leftOver(bundle)).toEqual([]);
  });

  it("nor its list, among very many records, is searched for in short steps, as long as whoever looks has the duty", async () => {
    await using bundle = await startWorkerBundle();
    const redis = bundle.redis.client();
    const ids = await submit(bundle, 10);
    const [name = ""] = await names(bundle);
    await redis.del(ticketKey(QUEUE, name), `${BASE}${name}`);
    await redis.zrem(`${BASE}prioritized`, name);
    await redis.eval("for n = 1, 50000 do redis.call('SET', 'other:' .. n, '') end", 0);
    let mays = 0;
    // Some keys are looked at for each time that it is allowed to.
    expect(await look(bundle, () => (mays += 1) % 10 !== 0)).toBeGreaterThan(5);
    expect(mays).toBeGreaterThan(50);
    expect((await names(bundle)).toSorted()).toEqual(ids.map((id) => `j-${id}`).toSorted());
    expect(await leftOver(bundle)).toEqual([]);
  });
});

describe("something else in the place of all tickets", () => {
  it("is named to whoever submits; once it is moved away the same rows are taken, and called once", async () => {
    await using bundle = await startWorkerBundle();
    const redis = bundle.redis.client();
    const key = `${queuePrefix(QUEUE)}tickets`;
    await redis.set(key, "another program's");
    const refused = { code: "redis-unsuitable", message: expect.stringContaining(`RENAME "${key}"`) as string };
    await expect(submit(bundle, 10, { id: "row" })).rejects.toMatchObject(refused);
    await expect(look(bundle)).rejects.toMatchObject(refused);
    await redis.rename(key, `aside:${key}`);
    const ids = await submit(bundle, 10, { id: "row" });
    await bundle.startWorker();
    await expect.poll(async () => await states(bundle, ids)).toEqual({ succeeded: 10 });
    expect(callsOf(bundle)).toEqual(Array.from({ length: 10 }, () => 1));
  });
});

describe("a list that is not what a producer wrote", () => {
  it.each([
    ["of another version", (ids: string[]) => `2 ${ids.join(" ")}`],
    ["empty", () => "1"],
    ["with an id twice, in place of another", (ids: string[]) => ["1", ...ids.slice(1), ids[1]].join(" ")],
    ["with a word that is no id", (ids: string[]) => ["1", "{", ...ids.slice(1)].join(" ")],
  ])("%s: what can be read runs, the others are found, each once", async (_what, broken) => {
    await using bundle = await startWorkerBundle();
    const ids = await submit(bundle, 10);
    const [name = ""] = await names(bundle);
    const redis = bundle.redis.client();
    const list = broken(await idsOf(bundle, name));
    await redis.set(ticketKey(QUEUE, name), list);
    await redis.hset(`${BASE}${name}`, "timestamp", Date.now() - 60_000);
    await bundle.startWorker();
    await expect.poll(async () => await redis.exists(`${BASE}${name}`)).toBe(0);
    expect(bundle.log.filter((line) => line.includes("cannot be read"))).toHaveLength(1);
    await look(bundle);
    await expect.poll(async () => await states(bundle, ids)).toEqual({ succeeded: 10 });
    expect(callsOf(bundle)).toEqual(Array.from({ length: 10 }, () => 1));
    expect(await leftOver(bundle)).toEqual([]);
  });

  it("but of another type is found as a whole", async () => {
    await using bundle = await startWorkerBundle();
    const ids = await submit(bundle, 10);
    const [name = ""] = await names(bundle);
    const redis = bundle.redis.client();
    await redis.del(ticketKey(QUEUE, name));
    await redis.hset(ticketKey(QUEUE, name), "no", "list");
    await redis.hset(`${BASE}${name}`, "timestamp", Date.now() - 60_000);
    await bundle.startWorker();
    await expect.poll(async () => await redis.exists(`${BASE}${name}`)).toBe(0);
    await look(bundle);
    await expect.poll(async () => await states(bundle, ids)).toEqual({ succeeded: 10 });
    expect(callsOf(bundle)).toEqual(Array.from({ length: 10 }, () => 1));
  });
});

describe("a worker that stops", () => {
  it("gives back what it has not begun, and another runs it, nobody twice", async () => {
    await using bundle = await startWorkerBundle();
    bundle.simulator.configure({ latencyMs: { min: 300, max: 300 } });
    const ids = await submit(bundle, 64);
    const first = await bundle.startWorker({ worker: { ...bundle.settings.worker, concurrency: 4 } });
    await expect.poll(() => bundle.simulator.requests.length).toBeGreaterThanOrEqual(4);
    expect(await first.stop()).toBe(true);
    expect(bundle.simulator.requests.length).toBeLessThan(20);
    bundle.simulator.configure({ latencyMs: { min: 0, max: 0 } });
    await bundle.startWorker();
    await expect.poll(async () => await states(bundle, ids)).toEqual({ succeeded: 64 });
    expect(callsOf(bundle)).toEqual(Array.from({ length: 64 }, () => 1));
  });
});
