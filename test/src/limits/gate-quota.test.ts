import { setTimeout as sleep } from "node:timers/promises";
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

/** When its call may arrive, for all that a worker knows: Redis' clock stood somewhere between `asked` and `got`. */
function timed({ scarce, waitMs }: Permit, asked: number, got: number): Timed {
  return { from: got + waitMs, until: asked + waitMs + (scarce ? QUOTA_MARGIN_MS : LOOSE_MARGIN_MS) };
}

/** Each call arrives at some share of its margin; one whose permit grew old on the way is not made. */
function arrivalsOf(granted: readonly Timed[], late: readonly number[]): number[] {
  return granted
    .flatMap(({ from, until }, n) => (until < from ? [] : [from + (late[n % late.length] ?? 0) * (until - from)]))
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
    const { call, store, queue, closedMs } = await gate("2/1d");
    expect((await call(WELL)).kind).toBe("run");
    expect((await call(WELL)).kind).toBe("run");
    const before = Date.now();
    const third = await call(WELL);
    expect(third).toMatchObject({ kind: "blocked", cause: "quota" });
    const record = await store.get(queue, third.id);
    expect(record).toMatchObject({ state: "waiting", attempts: [], reason: "quota: 2/1d is used up" });
    const wait = Date.parse(record?.next_attempt_at ?? "") - before;
    expect(wait).toBeGreaterThan(86_400_000 - 2_000);
    expect(wait).toBeLessThanOrEqual(86_400_000 + 200);
    expect(await closedMs()).toBeGreaterThan(86_000_000);
  });

  it("charges all windows or none: a refusal in the long one leaves room in the short one", async () => {
    const { call, control, queue } = await gate("3/1s,4/1h");
    for (let n = 0; n < 3; n += 1) expect((await call(WELL)).kind).toBe("run");
    await sleep(1_150);
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
        const { create, begin, permits } = await gate(text);
        const granted: Timed[] = [];
        const until = Date.now() + 400;
        let id = await create();
        while (Date.now() < until) {
          const asked = Date.now();
          const beginning = await begin(id);
          if (beginning.kind === "run") {
            granted.push(timed(beginning.permit, asked, Date.now()));
            id = await create();
          } else if (beginning.kind === "blocked") {
            await sleep(Math.max(0, beginning.until - Date.now()));
          }
        }
        const arrivals = arrivalsOf(granted, late);
        expectWithin(parseQuota(text, "quota"), arrivals);
        expect(arrivals.length).toBeGreaterThan(parseQuota(text, "quota")[0]?.max ?? 0);
        expect((await permits()).length).toBeGreaterThan(0);
      }),
      { numRuns: 12, endOnFailure: true },
    );
  });

  it("is never exceeded by 1,000 jobs that come at any time, alone or together", async () => {
    // More than there is room for; where the gap is 0 they come in one batch.
    const gaps = fc.array(fc.oneof(fc.constant(0), fc.nat(6)), { minLength: 1_000, maxLength: 1_000 });
    const late = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 101, maxLength: 101 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom("4/20ms,30/300ms", "12/40ms"), gaps, late, async (text, waits, lateness) => {
        const { newJob, store, queue, begin } = await gate(text);
        const jobs = waits.map(() => newJob());
        await store.create(queue, jobs);
        const granted: Timed[] = [];
        const waiting = jobs.map(({ id }) => id);
        const steps: Promise<void>[] = [];
        const step = async (id: string): Promise<void> => {
          const asked = Date.now();
          const beginning = await begin(id);
          if (beginning.kind === "run") granted.push(timed(beginning.permit, asked, Date.now()));
          else waiting.unshift(id);
        };
        for (const gap of waits) {
          if (gap > 0) await sleep(gap);
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
    const { create, begin } = await gate("1/500ms");
    const first = await begin(await create());
    expect(first).toMatchObject({ kind: "run", permit: { waitMs: 0 } });
    const room = endOf(first) + 500;
    const next = await create();
    const refused = await begin(next);
    expect(refused).toMatchObject({ kind: "blocked", cause: "quota", until: room - AHEAD_MS });
    await sleep(Math.max(0, room - AHEAD_MS - Date.now()));
    const asked = Date.now();
    const given = await begin(next);
    const got = Date.now();
    const { waitMs } = permitOf(given);
    // It begins when the window has room, or at once where this process was too late for that.
    expect(endOf(given)).toBeGreaterThanOrEqual(room + QUOTA_MARGIN_MS);
    if (asked >= room - AHEAD_MS && got < room) {
      expect(waitMs).toBeGreaterThanOrEqual(room - got);
      expect(waitMs).toBeLessThanOrEqual(room - asked);
    }
  });

  it("comes in order: each stands a window behind the one before, though both were given at once", async () => {
    const { newJob, store, queue, begin, permits } = await gate("2/90ms");
    const jobs = Array.from({ length: 6 }, () => newJob());
    await store.create(queue, jobs);
    const ends: number[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const [one, other] = jobs.slice(2 * turn, 2 * turn + 2).map(({ id }) => id);
      for (const id of [one ?? "", other ?? ""]) {
        let beginning = await begin(id);
        while (beginning.kind === "blocked") {
          await sleep(Math.max(1, beginning.until - Date.now()));
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

  it("that is given later lets the person's cooldown begin later", async () => {
    const { create, begin, permit, client, queue } = await gate("1/200ms");
    const id = await create({ subject: "s" });
    const first = permitOf(await begin(id));
    const key = `${queuePrefix(queue)}sent:s`;
    expect(await client.get(key)).toBe(`${first.id} ${id}`);
    const until = await client.pexpiretime(key);
    await expect.poll(async () => typeof (await permit(null, "other", null))).toBe("object");
    const given: Permit[] = [];
    await expect
      .poll(async () => {
        const fresh = await permit(null, id, "s");
        if (typeof fresh !== "number") given.push(fresh);
        return given.length;
      })
      .toBe(1);
    const later = Number(given[0]?.id) - Number(first.id);
    expect(later).toBeGreaterThanOrEqual(400);
    expect(await client.get(key)).toBe(`${Number(first.id) + later} ${id}`);
    expect(await client.pexpiretime(key)).toBeGreaterThan(until);
  });
});
