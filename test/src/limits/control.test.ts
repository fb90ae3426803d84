import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GateControl, type GateState } from "../../../src/limits/control.ts";
import { formatQuota } from "../../../src/limits/parse-quota.ts";
import { AHEAD_MS } from "../../../src/limits/gate/margins.ts";
import type { Quota } from "../../../src/limits/quota.ts";
import { queuePrefix } from "../../../src/queues/names.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";
import { TEST_TIME } from "../../support/test-clock.ts";
import { type Gate, newGate, WELL } from "./gate-bundle.ts";

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => await redis.stop());

/** Far enough that no test waits until then, ms. */
const LATER = 3_600_000;

it("holds are told in the order in which they began, however Redis lists them", async () => {
  const { client, key, control, queue } = await newGate(redis);
  await client.hset(key, "hold:user_code:B", "2 9 346", "hold:user_code:A", "2 9 346", "hold:user_code:C", "1 9 346");
  const { holds } = await control.read(queue);
  expect(holds.map(({ scope }) => scope)).toEqual(["user_code:C", "user_code:A", "user_code:B"]);
});

describe("resume", () => {
  const A = "user_code:A";
  const hold = `1 ${TEST_TIME + LATER} 346`;

  /** These scopes are held, as the gate itself writes it. */
  async function held(...scopes: string[]): Promise<Gate> {
    const gate = await newGate(redis);
    for (const scope of scopes) {
      await gate.call({ kind: "refused", scope, reason: "346" }, { holdNames: [scope] });
    }
    return gate;
  }

  it("of the last scope leaves nothing behind: the gate is as it was before the first refusal", async () => {
    const untouched = await held();
    const { client, key, control, queue } = await held(A);
    expect(await client.hgetall(key)).toMatchObject({ scopes: "1", [`hold:${A}`]: expect.any(String) as string });
    expect(await control.resume(queue, A)).toBe(true);
    expect(await client.hgetall(key)).toEqual(await client.hgetall(untouched.key));
  });

  it("of one scope leaves the others held, and counted, until the last one goes", async () => {
    const { control, queue, field, call } = await held(A, "user_code:B", "operation:x");
    await control.resume(queue, A);
    expect(await field("scopes")).toBe("2");
    expect(await call(WELL, { holdNames: ["user_code:B"] })).toMatchObject({ kind: "blocked", cause: "scope" });
    expect((await call(WELL, { holdNames: [A] })).kind).toBe("run");
    expect(await control.resume(queue, A)).toBe(false);
    expect(await field("scopes")).toBe("2");
    await control.resume(queue, "user_code:B");
    expect(await field("scopes")).toBe("1");
    await control.resume(queue, "operation:x");
    expect(await field("scopes")).toBeNull();
  });

  it("is one step: of many at the same moment one lifts each hold, and none is counted twice", async () => {
    const scopes = Array.from({ length: 10 }, (_, index) => `user_code:${index}`);
    const { control, queue, field, client, key } = await held(...scopes);
    const others = [new GateControl(redis.client()), new GateControl(redis.client())];
    const lifted = await Promise.all(
      scopes.slice(1).flatMap((scope) => [control, ...others].map(async (one) => await one.resume(queue, scope))),
    );
    expect(lifted.filter((was) => was)).toHaveLength(9);
    expect(await field("scopes")).toBe("1");
    await Promise.all([control, ...others].map(async (one) => await one.resume(queue, scopes[0] ?? "")));
    expect((await client.hkeys(key)).filter((name) => name.startsWith("hold") || name === "scopes")).toEqual([]);
  });

  it("mends a count that is too low, and never leaves one below one", async () => {
    const { control, queue, client, key, field } = await held();
    await client.hset(key, { [`hold:${A}`]: hold });
    expect(await control.resume(queue, A)).toBe(true);
    expect(await field("scopes")).toBeNull();
  });

  it("of the whole credential lifts hold, breaker and pause with all they left, and no scope and no quota", async () => {
    const { control, queue, client, key } = await newGate(redis, "5/1s");
    const before = await client.hgetall(key);
    const scoped = { scopes: 1, [`hold:${A}`]: hold };
    const at = TEST_TIME + LATER;
    for (const stop of [
      { hold: "403", hold_since: 1, hold_probe: at, probe: "job-1" },
      { breaker: "open", open_since: 1, open_ms: 5_000, probe_at: at, probe: "job-1" },
      { breaker: "ramp", open_since: 1, open_ms: 5_000, ramp_at: at, ramp_gap: 500 },
      { pause_until: at },
    ]) {
      await client.hset(key, { ...scoped, ...stop });
      expect(await control.resume(queue, null)).toBe(true);
      expect(await client.hgetall(key)).toEqual({
        ...{ ...before, scopes: "1", [`hold:${A}`]: hold },
        resumed_at: expect.stringMatching(/^\d{13}$/) as string,
      });
      expect(await control.resume(queue, null)).toBe(false);
    }
  });
});

describe("a quota set by hand", () => {
  it("stays in force though workers start at the same moment", async () => {
    const { queue, client, key, control } = await newGate(redis, "5/1s");
    const other = new GateControl(redis.client());
    for (let n = 1; n <= 50; n += 1) {
      const byHand = [{ max: n, ms: 1_000 }];
      await Promise.all([other.configure(queue, [{ max: 5_000, ms: 1_000 }]), control.setQuota(queue, byHand)]);
      expect(await client.hget(key, "quota")).toBe(`${n}:1000`);
      expect((await control.read(queue)).quota).toEqual(byHand);
      expect(await other.configure(queue, [{ max: 6_000, ms: 1_000 }])).toEqual(byHand);
      expect(await control.resetQuota(queue)).toEqual([{ max: 6_000, ms: 1_000 }]);
      expect(await control.read(queue)).toMatchObject({ quotaSetByHand: false, quota: [{ max: 6_000 }] });
    }
  });

  it("is reset to nothing where no worker was started yet", async () => {
    const control = new GateControl(redis.client());
    await control.setQuota("{eko-999}", [{ max: 1, ms: 1_000 }]);
    expect(await control.resetQuota("{eko-999}")).toEqual([]);
    expect((await control.read("{eko-999}")).quotaFreeAt).toBe(0);
  });
});

/** What a provider would count, from every single call. */
function bruteForce(quota: Quota, permits: readonly number[], { now, factor }: GateState) {
  const windows = quota.map((window, index) => ({ ...window, ...asUsed(window, index === 0 ? factor : 1) }));
  const within = (ms: number, at: number): number => permits.filter((permit) => permit > at - ms).length;
  const used = quota.map(({ max, ms }) => Math.min(max, within(ms, now)));
  const freeAt = windows.map(({ most, span }) => {
    const times = [now, ...permits.map((permit) => permit + span).filter((at) => at > now)];
    return Math.min(...times.filter((at) => within(span, at) < most));
  });
  const last = Math.max(now, ...freeAt);
  return {
    used,
    freeAt: last > now ? last : 0,
    full: last > now ? quota.filter((_, n) => freeAt[n] === last) : [null],
  };
}

/** A lowered share: fewer calls in about the same time, at least one. */
function asUsed({ max, ms }: Quota[number], factor: number): { most: number; span: number } {
  const share = max * factor;
  const most = Math.max(1, Math.ceil(share));
  return { most, span: factor < 1 ? Math.ceil((ms * most) / share) : ms };
}

/** Windows of which each is longer, and allows no fewer, than the one before. */
const QUOTA: fc.Arbitrary<Quota> = fc
  .array(fc.record({ max: fc.integer({ min: 1, max: 12 }), ms: fc.integer({ min: 10_000, max: 100_000 }) }), {
    ...{ minLength: 1, maxLength: 3 },
  })
  .map((windows) => {
    let [max, ms] = [0, 0];
    return windows.map((window) => ({ max: (max += window.max), ms: (ms += window.ms) }));
  });
/** How long ago each call arrives at the latest, in ms: hardly any in the future, many at the same moment. */
const AGES = fc.array(fc.oneof(fc.integer({ min: -100, max: 320_000 }), fc.integer({ min: 0, max: 4 })), {
  maxLength: 60,
});

async function fill({ client, queue }: Gate, permits: readonly number[]): Promise<void> {
  if (permits.length === 0) return;
  await client.rpush(`${queuePrefix(queue)}permits`, ...permits.toSorted((a, b) => b - a));
}

describe("what is read of a quota", () => {
  it("is what counting every single permit gives", async () => {
    const seed = Date.now();
    const seen = { open: 0, full: 0 };
    await fc.assert(
      fc.asyncProperty(QUOTA, AGES, fc.constantFrom(1, 1, 0.7, 0.35, 0.05), async (quota, ages, factor) => {
        const gate = await newGate(redis, formatQuota(quota));
        if (factor < 1) await gate.client.hset(gate.key, { factor, factor_calls: 0 });
        const { now } = gate.clock;
        const permits = ages.map((age) => now - age);
        await fill(gate, permits);
        const state = await gate.control.read(gate.queue);
        const counted = bruteForce(quota, permits, state);
        expect(state.windows.map(({ used }) => used)).toEqual(counted.used);
        expect(state.quotaFreeAt).toBe(counted.freeAt);
        expect(counted.full).toContainEqual(state.fullWindow);
        seen[counted.freeAt > 0 ? "full" : "open"] += 1;
        // The gate itself says the same: it opens then, or a little ahead.
        const beginning = await gate.begin(await gate.create());
        if (state.quotaFreeAt > state.now + AHEAD_MS) {
          expect(beginning).toMatchObject({ kind: "blocked", cause: "quota" });
        } else expect(beginning.kind).toBe("run");
      }),
      { numRuns: 250, seed },
    );
    expect(Math.min(seen.open, seen.full), `both were tried; seed ${seed}`).toBeGreaterThan(20);
  });

  it("counts a permit to the very millisecond at which its window ends, and not in it", async () => {
    const quota = [{ max: 1_000, ms: 10_000 }];
    const gate = await newGate(redis, formatQuota(quota));
    const from = gate.clock.now - 10_000;
    // One ends in each of these milliseconds, the present one among them.
    const permits = Array.from({ length: 900 }, (_, ms) => from + ms);
    await fill(gate, permits);
    const state = await gate.control.read(gate.queue);
    expect(state.windows.map(({ used }) => used)).toEqual(bruteForce(quota, permits, state).used);
    expect(permits).toContain(state.now - 10_000);
  });

  it("costs a few looks, not one for each of a million permits", async () => {
    const gate = await newGate(redis, "10/1s,1000/1m,1000000/30d");
    const { client, queue, control } = gate;
    await client.config("SET", "appendonly", "no");
    const newest = gate.clock.now - 3_600_000;
    // One a second, newest first: all of them are in the longest window.
    const push = `for from = 1, 1000000, 5000 do
      local some = {}
      for i = from, from + 4999 do some[#some + 1] = string.format('%.0f', ARGV[1] - i * 1000) end
      redis.call('RPUSH', KEYS[1], unpack(some))
    end`;
    await client.eval(push, 1, `${queuePrefix(queue)}permits`, newest);
    await control.read(queue);
    const stats = async () => {
      const text = await client.info("commandstats");
      const of = (name: string, what: string): number =>
        Number(new RegExp(`cmdstat_${name}:\\S*\\b${what}=(\\d+)`).exec(text)?.[1] ?? 0);
      return { looks: of("lindex", "calls"), ranges: of("lrange", "calls"), us: of("evalsha", "usec") };
    };
    const before = await stats();
    const READS = 20;
    for (let n = 0; n < READS; n += 1) await control.read(queue);
    const after = await stats();
    const { windows, fullWindow } = await control.read(queue);
    expect(windows.map(({ used }) => used)).toEqual([0, 0, 1_000_000]);
    expect(fullWindow).toEqual({ max: 1_000_000, ms: 30 * 86_400_000 });
    // Halving: 4, 10 and 20 looks for the three windows, and one each for its end.
    expect((after.looks - before.looks) / READS).toBeLessThanOrEqual(4 + 10 + 20 + 3);
    expect(after.ranges).toBe(before.ranges);
    expect((after.us - before.us) / READS, "µs in Redis").toBeLessThan(5_000);
  });
});
