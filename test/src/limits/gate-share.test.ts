import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseQuota } from "../../../src/limits/parse-quota.ts";
import type { CallHealth } from "../../../src/records/attempt-end.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";
import { type Gate, newGate, WELL } from "./gate-bundle.ts";

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => await redis.stop());

const THROTTLED: CallHealth = { kind: "throttled", retryAfterMs: null };

async function newShare() {
  const gate = await newGate(redis, "", {}, {});
  const { call, client, key, clock } = gate;
  const read = async () => (await client.hmget(key, "factor", "factor_worked")).map((value) => Number(value ?? 1));
  /** A call a second, of which each is answered as `answer` says; the share after each, and the 429s. */
  const work = async (seconds: number, answer: (factor: number) => CallHealth) => {
    const shares: number[] = [];
    let refused = 0;
    for (let second = 0; second < seconds; second += 1) {
      const health = answer((await read())[0] ?? 1);
      const { kind } = await call(health);
      if (kind === "run" && health.kind === "throttled") refused += 1;
      await clock.wait(1_000);
      shares.push((await read())[0] ?? 1);
    }
    return { shares, refused, last: shares.at(-1) ?? 1 };
  };
  return { ...gate, read, work };
}

/** A provider that allows so much of our quota. */
const allows = (share: number) => (factor: number) => (factor > share ? THROTTLED : WELL);

describe("the share of a quota", () => {
  it("is halved by a 429 and climbs back to the last share that worked as soon as calls go well", async () => {
    const { call, work, read } = await newShare();
    await call(THROTTLED);
    expect(await read()).toEqual([0.5, 1]);
    const { shares } = await work(8, allows(1));
    expect(shares.at(-1)).toBe(1);
  });

  it("is back within a minute of full work after a storm of a minute in which nothing went well", async () => {
    const { work } = await newShare();
    const storm = await work(60, () => THROTTLED);
    expect(storm.last).toBe(0.05);
    expect((await work(60, allows(1))).last).toBe(1);
  });

  it("is back within a minute after a storm in which every other call went well, too", async () => {
    const { work } = await newShare();
    let turn = 0;
    await work(60, () => ((turn += 1) % 2 === 0 ? WELL : THROTTLED));
    expect((await work(60, allows(1))).last).toBe(1);
  });

  it("settles at half of a quota of which the provider gives half, with hardly a 429 in the long run", async () => {
    const { work, read } = await newShare();
    const first = await work(60, allows(0.5));
    expect(first.refused).toBeLessThanOrEqual(6);
    const then = await work(600, allows(0.5));
    expect(then.refused).toBeLessThanOrEqual(6);
    expect(Math.min(...then.shares)).toBeGreaterThanOrEqual(0.5);
    expect((await read())[1]).toBe(0.5);
  });

  it("finds a share that lies between, and uses nearly all of it", async () => {
    const { work } = await newShare();
    await work(120, allows(0.8));
    const { shares, refused } = await work(240, allows(0.8));
    expect(shares.reduce((sum, one) => sum + one, 0) / shares.length).toBeGreaterThan(0.7);
    expect(refused).toBeLessThanOrEqual(6);
  });

  /** As `allows`, and now and then refuses one call of those that just fit: one that came a moment too early. */
  const allowsNarrowly = (share: number, everyS: number) => {
    let second = 0;
    return (factor: number) => {
      second += 1;
      return factor > share || (factor > 0.97 * share && second % everyS === 0) ? THROTTLED : WELL;
    };
  };

  it("gives up little where a share that worked for a while is refused now and then", async () => {
    const { work } = await newShare();
    await work(60, allowsNarrowly(0.5, 23));
    const { shares, refused } = await work(600, allowsNarrowly(0.5, 23));
    expect(shares.reduce((sum, one) => sum + one, 0) / shares.length).toBeGreaterThan(0.45);
    expect(Math.min(...shares)).toBeGreaterThan(0.4);
    expect(refused).toBeLessThanOrEqual(24);
  });

  it("does not halve for good the whole that is refused twice in a minute, seconds apart", async () => {
    const { work, call } = await newShare();
    await call(THROTTLED);
    expect((await work(25, allows(1))).last).toBe(1);
    await call(THROTTLED);
    const { shares } = await work(40, allows(1));
    expect(Math.min(...shares)).toBe(0.9);
    expect(shares.at(-1)).toBe(1);
  });

  it("follows a provider that gives far less from one moment to the next", async () => {
    const { work } = await newShare();
    await work(120, allows(0.5));
    const { refused } = await work(20, allows(0.1));
    expect(refused).toBeLessThanOrEqual(5);
    const { shares, refused: then } = await work(120, allows(0.1));
    expect(then).toBeLessThanOrEqual(5);
    expect(Math.max(...shares)).toBeLessThan(0.2);
  });

  it("counts a 429 of a call that was under way when the last one came, though the pause is over, as that one", async () => {
    const { create, begin, finish, call, clock, read, client, key } = await newShare();
    const slow = await create();
    await begin(slow);
    await clock.wait(1_000);
    await call(THROTTLED);
    await clock.wait(10_000);
    await finish(slow, THROTTLED);
    expect((await read())[0]).toBe(0.5);
    expect(await client.hget(key, "strikes")).toBe("1");
  });

  const lifts: readonly (readonly [string, (gate: Gate) => Promise<unknown>])[] = [
    ["`provider resume`", async ({ control, queue }) => await control.resume(queue, null)],
    ["`quota set`", async ({ control, queue }) => await control.setQuota(queue, parseQuota("5/1s", "quota"))],
    ["`quota reset`", async ({ control, queue }) => await control.resetQuota(queue)],
  ];
  it.each(lifts)("is lifted by %s", async (_, lift) => {
    const gate = await newShare();
    await gate.call(THROTTLED);
    await lift(gate);
    expect(await gate.read()).toEqual([1, 1]);
    const fields = await gate.client.hkeys(gate.key);
    expect(fields.filter((field) => field.startsWith("factor"))).toEqual([]);
  });
});
