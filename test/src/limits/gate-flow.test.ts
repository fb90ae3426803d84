import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FEW_CALLS } from "../../../src/limits/gate/flow.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";
import { TEST_TIME } from "../../support/test-clock.ts";
import { FAILED, newGate, REFUSED, WELL } from "./gate-bundle.ts";

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => await redis.stop());

/** A gate that knows nothing, or this, of its provider. */
async function newFlow(quota = "", flow: string | null = null) {
  const gate = await newGate(redis, quota, {}, { flow });
  const { create, begin, queue, control } = gate;
  /** Begins as many as may be under way. */
  const fill = async (most = 200): Promise<string[]> => {
    const ids: string[] = [];
    while (ids.length < most) {
      const id = await create();
      if ((await begin(id)).kind !== "run") break;
      ids.push(id);
    }
    return ids;
  };
  const limit = async () => (await control.read(queue)).calls.limit;
  return { ...gate, fill, limit };
}

describe("the calls that may be under way at once", () => {
  it("are few while nothing is known; the next waits, and the queue is closed for no longer than a look takes", async () => {
    const { fill, call, closedMs, control, queue } = await newFlow();
    expect(await fill()).toHaveLength(FEW_CALLS);
    expect(await call(WELL)).toMatchObject({ kind: "blocked", cause: "busy" });
    expect(await closedMs()).toBeLessThanOrEqual(500);
    expect((await control.read(queue)).calls).toEqual({ inFlight: FEW_CALLS, limit: FEW_CALLS });
  });

  it("double with every round that goes well", async () => {
    const { fill, finish, clock } = await newFlow();
    const rounds: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      const ids = await fill();
      rounds.push(ids.length);
      await clock.wait(20);
      await Promise.all(ids.map(async (id) => await finish(id, WELL)));
    }
    expect(rounds).toEqual([6, 12, 24, 48]);
  });

  it("stay as they are while few are used", async () => {
    const { call, limit } = await newFlow();
    for (let n = 0; n < 30; n += 1) await call(WELL);
    expect(await limit()).toBe(FEW_CALLS);
  });

  it("are no more than the quota needs twice", async () => {
    const { fill, finish, limit } = await newFlow("40/1s");
    let longestMs = 0;
    for (let round = 0; round < 3; round += 1) {
      const began = performance.now();
      for (const id of await fill(10)) await finish(id, WELL);
      longestMs = Math.max(longestMs, performance.now() - began);
    }
    // No call took longer than its round: so many of 40 a second fall into that, twice.
    expect(await limit()).toBeLessThanOrEqual(Math.max(8, (2 * 40 * longestMs) / 1_000));
  });

  it("come down to that at once where they were more", async () => {
    const { fill, finish, limit } = await newFlow("40/1s", `200 5 5 ${TEST_TIME - 60} 0`);
    for (const id of await fill(1)) await finish(id, WELL);
    expect(await limit()).toBeLessThanOrEqual(8);
  });

  it("open the queue when one ends, unless something else keeps it closed", async () => {
    const { fill, clock, call, finish, closedMs, field } = await newFlow();
    const [one = "", two = ""] = await fill();
    await clock.wait(4_000);
    expect(await call(WELL)).toMatchObject({ cause: "busy" });
    expect(await field("full")).not.toBeNull();
    await finish(one, null);
    expect(await closedMs()).toBe(-2);
    await fill();
    expect(await call(WELL)).toMatchObject({ cause: "busy" });
    expect(await field("full")).not.toBeNull();
    await finish(two, REFUSED);
    expect(await closedMs()).toBeGreaterThan(60_000);
  });

  it("fall to fewer with each failure, so that no more are made than were under way when the breaker opens", async () => {
    const { fill, finish, field, create, begin } = await newFlow("", `20 5 5 ${TEST_TIME} 0`);
    const ids = await fill(10);
    for (const [n, id] of ids.slice(0, 3).entries()) {
      await finish(id, FAILED);
      expect(await begin(await create()), `after ${n + 1}`).toMatchObject({ kind: "blocked" });
    }
    expect(await field("breaker")).toBe("open");
  });

  it("are few again after a silence, and after an outage", async () => {
    const quiet = await newFlow("", `200 5 5 ${TEST_TIME - 5_500} 0`);
    expect(await quiet.limit()).toBe(FEW_CALLS);
    const slow = await newFlow("", `200 3000 3000 ${TEST_TIME - 5_500} 0`);
    expect(await slow.limit()).toBe(200);
    const out = await newFlow("", `200 5 5 ${TEST_TIME} 0`);
    for (let n = 0; n < 3; n += 1) await out.call(FAILED);
    expect(await out.limit()).toBe(FEW_CALLS);
  });

  it("fall when calls take far longer than usual, and rise again when that has become usual", async () => {
    const { create, begin, finish, limit, clock, field } = await newFlow("", `64 20 20 ${TEST_TIME} 0`);
    const slowCall = async () => {
      const id = await create();
      await begin(id);
      await clock.wait(200);
      await finish(id, WELL);
    };
    for (let n = 0; n < 12; n += 1) await slowCall();
    const low = await limit();
    expect(low).toBeLessThan(64);
    expect(low).toBeGreaterThanOrEqual(FEW_CALLS);
    for (let n = 0; n < 300; n += 1) await slowCall();
    const usual = Number((await field("flow"))?.split(" ")[2]);
    expect(usual).toBeGreaterThan(100);
  });

  it("are not counted when their workers must be dead, and one more is made when none was for five seconds", async () => {
    const { fill, clock, call, inFlight, create, begin } = await newFlow();
    await fill();
    await clock.wait(4_000);
    expect(await call(WELL)).toMatchObject({ kind: "blocked", cause: "busy" });
    await clock.wait(1_000);
    expect((await begin(await create())).kind).toBe("run");
    expect(await begin(await create())).toMatchObject({ kind: "blocked", cause: "busy" });
    await clock.wait(30_000);
    expect((await begin(await create())).kind).toBe("run");
    expect(await inFlight()).toBeLessThanOrEqual(2);
  });

  it("leave their places however they end, and the queue opens at once", async () => {
    const { fill, finish, closedMs, inFlight, field } = await newFlow();
    const [one = "", two = "", three = ""] = await fill();
    await finish(one, null);
    expect(await closedMs()).toBe(-2);
    expect(await field("full")).toBeNull();
    await finish(two, WELL);
    await finish(three, FAILED);
    expect(await inFlight()).toBe(FEW_CALLS - 3);
  });

  it("cost one more command for a batch that begins, besides counting them, and one for a batch that ends", async () => {
    const { newJob, store, queue, begin, finish, client } = await newFlow("", "1000000 1 1 4000000000000 0");
    const jobs = Array.from({ length: 20 }, () => newJob());
    await store.create(queue, jobs);
    const calls = async (command: string): Promise<number> =>
      Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await client.info("commandstats"))?.[1] ?? 0);
    const before = [await calls("zcard"), await calls("zadd"), await calls("zrem")];
    await Promise.all(jobs.map(async ({ id }) => await begin(id)));
    await Promise.all(jobs.map(async ({ id }) => await finish(id, WELL)));
    const after = [await calls("zcard"), await calls("zadd"), await calls("zrem")];
    expect(after.map((count, n) => count - (before[n] ?? 0))).toEqual([1, 1, 1]);
  });
});
