import type { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { JobQueues } from "../../../src/queues/job-queues.ts";
import type { QueuedJob } from "../../../src/queues/job-options.ts";
import { oldestWaitingMs } from "../../../src/records/oldest-waiting.ts";
import { startTestRedis } from "../../support/redis.ts";

const QUEUE = "{eko-0}";
const WAIT = `bull:${QUEUE}:wait`;
const PRIORITIZED = `bull:${QUEUE}:prioritized`;
const DELAYED = `bull:${QUEUE}:delayed`;
const NOW = Date.now();

const interactive = (id: string): QueuedJob => ({ id, lane: "interactive", verify: false });
const bulk = (id: string): QueuedJob => ({ id, lane: "bulk", verify: false });
const verify = (id: string, lane: QueuedJob["lane"] = "interactive"): QueuedJob => ({ id, lane, verify: true });

async function setup() {
  const stack = new AsyncDisposableStack();
  const redis = stack.use(await startTestRedis());
  const client: Redis = redis.client();
  const queues = new JobQueues(client, Date.now);
  stack.defer(async () => await queues.close());
  /** Queued so many seconds ago. */
  const many = async (jobs: readonly QueuedJob[], ageS: number): Promise<void> => {
    await queues.add(QUEUE, jobs);
    for (const { id } of jobs) await client.hset(`bull:${QUEUE}:j-${id}`, "timestamp", NOW - ageS * 1_000);
  };
  return {
    client,
    many,
    add: async (job: QueuedJob, ageS: number) => await many([job], ageS),
    /** In whole seconds, and of those that passed meanwhile none. */
    seconds: async () => {
      const passed = Date.now() - NOW;
      const ms = await oldestWaitingMs(client, QUEUE);
      return ms === null ? null : Math.round((ms - passed) / 1_000);
    },
    [Symbol.asyncDispose]: async () => await stack.disposeAsync(),
  };
}

describe("the oldest job that waits", () => {
  it("is found in either lane, behind younger verifies that are taken first", async () => {
    await using bundle = await setup();
    expect(await bundle.seconds()).toBeNull();
    await bundle.add(bulk("b1"), 50);
    await bundle.add(bulk("b2"), 40);
    await bundle.add(verify("b3", "bulk"), 10);
    expect(await bundle.seconds()).toBe(50);
    await bundle.add(interactive("i1"), 90);
    await bundle.add(interactive("i2"), 80);
    for (const [index, age] of [30, 20, 10].entries()) await bundle.add(verify(`v${index}`), age);
    expect(await bundle.seconds()).toBe(90);
    await bundle.client.hset(`bull:${QUEUE}:j-b3`, "timestamp", NOW - 120_000);
    expect(await bundle.seconds()).toBe(120);
  });

  it("is found among those that a closed gate put back, whatever their ids", async () => {
    await using bundle = await setup();
    await bundle.add(bulk("next"), 60);
    // As BullMQ puts back: with a counter of 0, so that ids decide; and to the tail of `wait`.
    for (const [id, age] of Object.entries({ aa: 70, mm: 200, zz: 80 })) {
      await bundle.add(bulk(id), age);
      await bundle.client.zadd(PRIORITIZED, 20 * 2 ** 32, `j-${id}`);
    }
    expect(await bundle.seconds()).toBe(200);
    await bundle.add(interactive("first"), 300);
    await bundle.add(interactive("second"), 250);
    for (const id of ["first", "second"]) {
      await bundle.client.lrem(WAIT, 1, `j-${id}`);
      await bundle.client.rpush(WAIT, `j-${id}`);
    }
    expect(await bundle.seconds()).toBe(300);
  });

  it("has waited since its own wait was over, or all the time where the gate was closed", async () => {
    await using bundle = await setup();
    await bundle.add(bulk("again"), 5_000);
    await bundle.client.hset(`satyapan:${QUEUE}:job:again`, { next: NOW - 30_000, cause: "cooldown" });
    await bundle.add(bulk("other"), 20);
    expect(await bundle.seconds()).toBe(30);
    await bundle.client.hset(`satyapan:${QUEUE}:job:again`, { cause: "quota" });
    expect(await bundle.seconds()).toBe(5_000);
    await bundle.client.zadd(DELAYED, 1, "j-again");
    await bundle.client.zrem(PRIORITIZED, "j-again");
    expect(await bundle.seconds()).toBe(20);
  });

  it("costs the same behind 100,000 jobs, and is found behind more verifies than are looked at", async () => {
    await using bundle = await setup();
    await bundle.many([interactive("oldest"), ...Array.from({ length: 49 }, (_, n) => interactive(`i${n}`))], 400);
    await bundle.many(
      Array.from({ length: 700 }, (_, n) => verify(`v${n}`)),
      10,
    );
    await bundle.client.eval(
      `for n = 1, 100000 do redis.call('LPUSH', KEYS[1], 'j-x' .. n) end
       for n = 1, 100000 do redis.call('ZADD', KEYS[2], 20 * 4294967296 + n, 'j-y' .. n) end`,
      2,
      WAIT,
      PRIORITIZED,
    );
    await bundle.client.hset(`bull:${QUEUE}:j-y1`, "timestamp", NOW - 500_000);
    // The 1,024th from the tail, behind 700 verifies and 50 others.
    await bundle.client.hset(`bull:${QUEUE}:j-x274`, "timestamp", NOW - 600_000);
    expect(await bundle.seconds()).toBe(600);
    await bundle.client.config("RESETSTAT");
    await oldestWaitingMs(bundle.client, QUEUE);
    const stats = await bundle.client.info("commandstats");
    const calls = Object.fromEntries(
      Array.from(stats.matchAll(/cmdstat_(\w+):calls=(\d+)/g), ([, name = "", count]) => [name, Number(count)]),
    );
    expect(calls["lrange"]).toBe(1);
    expect(calls["zrangebyscore"]).toBe(4);
    expect(calls["hget"]).toBeLessThan(300);
    expect(calls["lindex"]).toBeLessThan(20);
  });
});
