import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AHEAD_MS, LOOSE_MARGIN_MS, QUOTA_MARGIN_MS } from "../../../src/limits/gate/margins.ts";
import { parseQuota } from "../../../src/limits/parse-quota.ts";
import type { Quota } from "../../../src/limits/quota.ts";
import { bullmqPrefix, queuePrefix } from "../../../src/queues/names.ts";
import type { AttemptStart, Permit } from "../../../src/records/attempt-start.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";
import { newGate, WELL } from "./gate-bundle.ts";

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => await redis.stop());

const gate = async (quota: string) => await newGate(redis, quota);

function permitOf(beginning: AttemptStart): Permit {
  if (beginning.kind !== "run") throw new Error(`it was ${beginning.kind}`);
  return beginning.permit;
}

/** Until when its call arrives, ms: a permit's id. */
const endOf = (beginning: AttemptStart): number => Number(permitOf(beginning).id);

interface Timed {
  readonly from: number;
  readonly until: number;
}

/** When its call may arrive. */
function timed({ scarce, waitMs }: Permit, now: number): Timed {
  return { from: now + waitMs, until: now + waitMs + (scarce ? QUOTA_MARGIN_MS : LOOSE_MARGIN_MS) };
}

/** Each call arrives at some share of its margin. */
function arrivalsOf(granted: readonly Timed[], late: readonly number[]): number[] {
  return granted
    .map(({ from, until }, n) => from + (late[n % late.length] ?? 0) * (until - from))
    .toSorted((a, b) => a - b);
}

/** As a provider counts whose windows slide. */
function expectWithin(quota: Quota, arrivals: readonly number[]): void {
  for (const { max, ms } of quota) {
    const tooClose = arrivals.filter((at, n) => n >= max && at - (arrivals[n - max] ?? 0) < ms);
    expect(tooClose, `more than ${max} in ${ms} ms`).toEqual([]);
  }
}

describe("the gate's quota", () => {
  it("lets as many through as the window has, then says which is full, until when, and takes no attempt for it", async () => {
    const { call, store, queue, closedMs, clock } = await gate("2/1d");
    expect((await call(WELL)).kind).toBe("run");
    expect((await call(WELL)).kind).toBe("run");
    const third = await call(WELL);
    expect(third).toMatchObject({ kind: "blocked", cause: "quota" });
    const record = await store.get(queue, third.id);
    expect(record).toMatchObject({ state: "waiting", attempts: [], reason: "quota: 2/1d is used up" });
    const wait = Date.parse(record?.next_attempt_at ?? "") - clock.now;
    expect(wait).toBe(86_400_000 + LOOSE_MARGIN_MS - AHEAD_MS);
    expect(await closedMs()).toBeGreaterThan(86_000_000);
  });

  it("charges all windows or none: a refusal in the long one leaves room in the short one", async () => {
    const { call, control, queue, clock } = await gate("3/1s,4/1h");
    for (let n = 0; n < 3; n += 1) expect((await call(WELL)).kind).toBe("run");
    await clock.wait(1_000 + LOOSE_MARGIN_MS);
    expect((await call(WELL)).kind).toBe("run");
    for (let n = 0; n < 5; n += 1) expect((await call(WELL)).kind).toBe("blocked");
    const { windows, fullWindow } = await control.read(queue);
    expect(windows.map(({ used }) => used)).toEqual([1, 4]);
    expect(fullWindow).toEqual({ max: 4, ms: 3_600_000 });
  });

  it("never exceeds any window, wherever the calls arrive within their margin, and comes back at the time it named", async () => {
    const quotas = fc.constantFrom("1/60ms", "3/120ms", "2/50ms,5/200ms", "4/80ms,6/160ms,7/240ms");
    const lateness = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 7, maxLength: 7 });
    await fc.assert(
      fc.asyncProperty(quotas, lateness, async (text, late) => {
        const { create, begin, permits, clock } = await gate(text);
        const granted: Timed[] = [];
        const until = clock.now + 1_000;
        let id = await create();
        while (clock.now < until) {
          let beginning = await begin(id);
          if (beginning.kind === "blocked") {
            expect(beginning.until).toBeGreaterThan(clock.now);
            await clock.waitUntil(beginning.until);
            beginning = await begin(id);
          }
          // Nobody else asks: what it was told holds.
          granted.push(timed(permitOf(beginning), clock.now));
          id = await create();
        }
        const arrivals = arrivalsOf(granted, late);
        expectWithin(parseQuota(text, "quota"), arrivals);
        expect(arrivals.length).toBeGreaterThan(parseQuota(text, "quota")[0]?.max ?? 0);
        expect((await permits()).length).toBeGreaterThan(0);
      }),
      { numRuns: 40, endOnFailure: true },
    );
  });

  it("is never exceeded by 1,000 jobs that come at any time, alone or together", async () => {
    // More than there is room for; where the gap is 0 they come in one batch.
    const gaps = fc.array(fc.oneof(fc.constant(0), fc.nat(6)), { minLength: 1_000, maxLength: 1_000 });
    const late = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 101, maxLength: 101 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom("4/20ms,30/300ms", "12/40ms"), gaps, late, async (text, waits, lateness) => {
        const { newJob, store, queue, begin, clock } = await gate(text);
        const jobs = waits.map(() => newJob());
        await store.create(queue, jobs);
        const granted: Timed[] = [];
        const waiting = jobs.map(({ id }) => id);
        const steps: Promise<void>[] = [];
        const step = async (id: string): Promise<void> => {
          const beginning = await begin(id);
          if (beginning.kind === "run") granted.push(timed(beginning.permit, clock.now));
          else waiting.unshift(id);
        };
        for (const gap of waits) {
          if (gap > 0) {
            await Promise.all(steps);
            await clock.wait(gap);
          }
          const id = waiting.shift();
          if (id !== undefined) steps.push(step(id));
        }
        await Promise.all(steps);
        const arrivals = arrivalsOf(granted, lateness);
        expectWithin(parseQuota(text, "quota"), arrivals);
        expect(arrivals.length).toBeGreaterThan(50);
      }),
      { numRuns: 2, endOnFailure: true },
    );
  });

  it("says of a permit whether hardly any are left: such a one is good for a shorter time", async () => {
    const { create, begin } = await gate("8/1h");
    const flags: boolean[] = [];
    for (let n = 0; n < 8; n += 1) {
      const beginning = await begin(await create());
      if (beginning.kind === "run") flags.push(beginning.permit.scarce);
    }
    expect(flags).toEqual([false, false, false, false, false, false, true, true]);
  });

  it("holds everything at 0, and lets it through at once when it is set back, at the new pace", async () => {
    const { call, begin, control, queue, client, closedMs } = await gate("1/1s");
    await control.setQuota(queue, parseQuota("0", "quota"));
    const held = await call(WELL);
    expect(held).toMatchObject({ kind: "blocked", cause: "quota" });
    expect(await closedMs()).toBeGreaterThan(1_000_000);
    await control.setQuota(queue, parseQuota("100/1s", "quota"));
    expect(await closedMs()).toBe(-2);
    expect(await client.hmget(`${bullmqPrefix(queue)}meta`, "max", "duration")).toEqual(["1", "1"]);
    expect((await begin(held.id)).kind).toBe("run");
    expect(await control.resetQuota(queue)).toEqual([{ max: 1, ms: 1_000 }]);
  });
});

describe("a permit ahead of its time", () => {
  it("is given at most 20 ms before its window has room, and says how long to wait", async () => {
    const { create, begin, clock } = await gate("1/500ms");
    const first = await begin(await create());
    expect(first).toMatchObject({ kind: "run", permit: { waitMs: 0 } });
    const room = endOf(first) + 500;
    const next = await create();
    const refused = { kind: "blocked", cause: "quota", until: room - AHEAD_MS };
    expect(await begin(next)).toMatchObject(refused);
    await clock.waitUntil(room - AHEAD_MS - 1);
    expect(await begin(next)).toMatchObject(refused);
    await clock.wait(1);
    const given = await begin(next);
    expect(given).toMatchObject({ kind: "run", permit: { waitMs: AHEAD_MS } });
    expect(endOf(given)).toBe(room + QUOTA_MARGIN_MS);
  });

  it("comes in order: each stands a window behind the one before, though both were given at once", async () => {
    const { newJob, store, queue, begin, permits, clock } = await gate("2/90ms");
    const jobs = Array.from({ length: 6 }, () => newJob());
    await store.create(queue, jobs);
    const ends: number[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const [one, other] = jobs.slice(2 * turn, 2 * turn + 2).map(({ id }) => id);
      for (const id of [one ?? "", other ?? ""]) {
        let beginning = await begin(id);
        while (beginning.kind === "blocked") {
          await clock.waitUntil(beginning.until);
          beginning = await begin(id);
        }
        ends.push(endOf(beginning));
      }
    }
    expect(ends).toEqual(ends.toSorted((a, b) => a - b));
    expect(await permits()).toEqual(ends.map(String).toReversed());
    const from = ends.map((end) => end - QUOTA_MARGIN_MS);
    expect(from.slice(2).every((at, index) => at >= (ends[index] ?? 0) + 90)).toBe(true);
  });

  it("that grew old unused is given back for another, which waits for its own time", async () => {
    const { create, begin, permit, permits } = await gate("2/1h");
    const [first, second] = [await begin(await create()), await begin(await create())];
    expect(await permit(null, "job", null)).toBeGreaterThan(3_500_000);
    const fresh = await permit(permitOf(second).id, "job", null);
    expect(fresh).toMatchObject({ scarce: true, waitMs: 0 });
    expect(await permits()).toEqual([typeof fresh === "number" ? "" : fresh.id, permitOf(first).id]);
  });

  it("that is given back again, because the answer to that was cut off, takes no other's of the same moment with it", async () => {
    const { create, begin, permit, permits, journal } = await gate("100/1h");
    const ids = [await create(), await create(), await create()];
    const begun = await Promise.all(ids.map(begin));
    const [one, other] = begun.map(permitOf);
    expect([one?.id, await permits()]).toEqual([other?.id, [one?.id, one?.id, one?.id]]);
    const given = ["job-1", "1 opener"] as const;
    await journal.giveBack(one?.id ?? "", ...given);
    await journal.giveBack(one?.id ?? "", ...given);
    expect(await permits()).toHaveLength(2);
    // The same of one that grew old: it goes once, and two fresh ones come.
    await permit(one?.id ?? "", "job", null);
    await permit(one?.id ?? "", "job", null);
    expect(await permits()).toHaveLength(3);
  });

  it("that is given later lets the person's cooldown begin later", async () => {
    const { create, begin, permit, client, queue, clock } = await gate("1/200ms");
    const id = await create({ subject: "s" });
    const first = permitOf(await begin(id));
    const key = `${queuePrefix(queue)}sent:s`;
    expect(await client.get(key)).toBe(`${first.id} ${id}`);
    const until = await client.pexpiretime(key);
    /** The next one there is. */
    const next = async (job: string, subject: string | null): Promise<Permit> => {
      const wait = await permit(null, job, subject);
      if (typeof wait !== "number") return wait;
      await clock.wait(wait);
      return await next(job, subject);
    };
    await next("other", null);
    const later = Number((await next(id, "s")).id) - Number(first.id);
    expect(later).toBe(2 * (200 + QUOTA_MARGIN_MS));
    expect(await client.get(key)).toBe(`${Number(first.id) + later} ${id}`);
    expect(await client.pexpiretime(key)).toBeGreaterThan(until);
  });
});
