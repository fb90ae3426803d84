import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseQuota } from "../../../src/limits/parse-quota.ts";
import { queuePrefix } from "../../../src/queues/names.ts";
import type { CallHealth } from "../../../src/records/attempt-end.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";
import { FAILED, type Given, newGate, REFUSED, WELL } from "./gate-bundle.ts";

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => await redis.stop());

const gate = async (quota = "", given: Given = {}) => await newGate(redis, quota, given);

describe("the gate after a 429", () => {
  const throttled = (retryAfterMs: number | null): CallHealth => ({ kind: "throttled", retryAfterMs });

  it("pauses everybody for as long as the provider says", async () => {
    const { call, closedMs, clock } = await gate("100/1s");
    await call(throttled(7_000));
    const next = await call(WELL);
    expect(next).toMatchObject({ kind: "blocked", cause: "throttled", until: clock.now + 7_000 });
    expect(await closedMs()).toBeGreaterThan(6_500);
  });

  it("doubles from 1 s while nothing is said, and begins anew after a call that went well", async () => {
    const { call, clock, client, key } = await gate();
    const pauses: number[] = [];
    const meet = async (): Promise<void> => {
      await call(throttled(null));
      const [until, at] = (await client.hmget(key, "pause_until", "strike_at")).map(Number);
      pauses.push((until ?? 0) - (at ?? 0));
      await clock.wait(120_000);
    };
    for (let n = 0; n < 8; n += 1) await meet();
    await call(WELL);
    await meet();
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 1_000]);
  });

  it("takes the 429s of calls that were under way together for one", async () => {
    const { create, begin, finish, field } = await gate();
    const ids = [await create(), await create(), await create()];
    for (const id of ids) await begin(id);
    for (const id of ids) await finish(id, throttled(null));
    expect(await field("strikes")).toBe("1");
    expect(await field("factor")).toBe("0.5");
  });

  it("lowers the rate of the shortest window, as fewer calls in about the same time", async () => {
    const { call, clock, field, control, queue } = await gate("10/1h,1000/1d");
    await call(throttled(null));
    await clock.wait(2_000);
    expect(Number(await field("factor"))).toBe(0.5);
    for (let n = 0; n < 4; n += 1) expect((await call(WELL)).kind).toBe("run");
    expect(await call(WELL)).toMatchObject({ kind: "blocked", cause: "quota" });
    expect(await control.read(queue)).toMatchObject({ windows: [{ used: 5 }, { used: 5 }], fullWindow: { max: 10 } });
  });
});

describe("the gate's cooldown", () => {
  it("lets one of two jobs for one person through, and the other wait with the reason", async () => {
    const { create, begin, store, queue } = await gate();
    const [first, second] = [await create({ subject: "s" }), await create({ subject: "s" })];
    const kinds = await Promise.all([begin(first), begin(second)]);
    expect(kinds.map(({ kind }) => kind).toSorted()).toEqual(["blocked", "run"]);
    const waiting = kinds[0]?.kind === "blocked" ? first : second;
    expect(await store.get(queue, waiting)).toMatchObject({
      state: "waiting",
      reason: expect.stringMatching(/^cooldown: /) as string,
      attempts: [],
    });
    expect((await begin(await create({ subject: "other" }))).kind).toBe("run");
  });

  it("forgets a send that is known not to have gone out, and keeps one that may have", async () => {
    const { create, begin, finish } = await gate();
    const id = await create({ subject: "s" });
    await begin(id);
    await finish(id, FAILED, { sent: false, state: "waiting", nextAt: 1, cause: "backoff" });
    const other = await create({ subject: "s" });
    expect((await begin(other)).kind).toBe("run");
    await finish(other, FAILED, { sent: true, state: "unknown" });
    expect((await begin(await create({ subject: "s" }))).kind).toBe("blocked");
  });

  it("does not stand in the way of a job's own next try", async () => {
    const { create, begin, finish } = await gate();
    const id = await create({ subject: "s" });
    await begin(id);
    await finish(id, WELL, { sent: true, state: "waiting", nextAt: 1, cause: "pending" });
    expect((await begin(id)).kind).toBe("run");
  });

  it("allows so many in a longer time, whatever the cooldown says, and remembers as long as the longer of the two", async () => {
    const sent = { subject: "s" };
    const kinds: string[] = [];
    const limited = await gate("", { cooldownMs: 0, otpLimit: { max: 3, ms: 60_000 } });
    for (let n = 0; n < 4; n += 1) {
      const id = await limited.create(sent);
      const { kind } = await limited.begin(id);
      kinds.push(kind);
      if (kind === "run") await limited.finish(id, WELL, { sent: true });
    }
    expect(kinds).toEqual(["run", "run", "run", "blocked"]);
    const long = await gate("", { cooldownMs: 3_600_000, otpLimit: { max: 5, ms: 1_000 } });
    await long.begin(await long.create(sent));
    const key = `${queuePrefix(long.queue)}sent:s`;
    const [at] = ((await long.client.get(key)) ?? "").split(" ");
    const arrives = Number(at) - long.clock.now;
    expect(arrives).toBeGreaterThan(0);
    // Redis forgets it by its real clock, some ms after it was written.
    expect(await long.client.pttl(key)).toBeGreaterThan(3_600_000 + arrives - 90);
  });
});

describe("the gate's breaker", () => {
  it("opens at the third job in 10 s that fails where none goes well, and everybody waits with the reason", async () => {
    const { call, field, store, queue, closedMs } = await gate();
    for (let n = 0; n < 2; n += 1) await call(FAILED);
    expect(await field("breaker")).toBeNull();
    await call(FAILED);
    expect(await field("breaker")).toBe("open");
    const waiting = await call(WELL);
    expect(waiting).toMatchObject({ kind: "blocked", cause: "breaker" });
    expect((await store.get(queue, waiting.id))?.reason).toBe("breaker: the provider is out of order");
    expect(await closedMs()).toBeGreaterThan(4_000);
  });

  it("opens at the fifth where half of the calls go well, and not where most do", async () => {
    const half = await gate();
    for (let n = 0; n < 8; n += 1) await half.call(n % 2 === 0 ? FAILED : WELL);
    expect(await half.field("breaker")).toBeNull();
    await half.call(FAILED);
    expect(await half.field("breaker")).toBe("open");
    const most = await gate();
    for (let n = 0; n < 20; n += 1) await most.call(n % 3 === 0 ? FAILED : WELL);
    expect(await most.field("breaker")).toBeNull();
  });

  it("forgets failures after 10 s, and takes one job's for one", async () => {
    const { begin, create, finish, call, field, clock } = await gate();
    await call(FAILED);
    const again = await create();
    for (let n = 1; n <= 4; n += 1) {
      await begin(again);
      await finish(again, FAILED, { state: "waiting", nextAt: 1, cause: "backoff" });
    }
    expect(await field("bad")).toBe("2");
    await clock.wait(10_000);
    await call(FAILED);
    expect(await field("bad")).toBe("1");
  });

  it("gives no fresh permit to a call that grew late while it opened", async () => {
    const { call, permit } = await gate();
    expect(await permit(null, "job", null)).toHaveProperty("id");
    for (let n = 0; n < 3; n += 1) await call(FAILED);
    expect(await permit(null, "job", null)).toBe(1_000);
  });

  it("lets one job try, and waits twice as long after each that fails", async () => {
    const { create, begin, finish, call, clock, client, key } = await gate();
    for (let n = 0; n < 3; n += 1) await call(FAILED);
    const waits: number[] = [];
    for (let n = 0; n < 5; n += 1) {
      await clock.wait(60_000);
      const probe = await create();
      expect((await begin(probe)).kind).toBe("run");
      expect((await call(WELL)).kind).toBe("blocked");
      await finish(probe, FAILED);
      waits.push(Number(await client.hget(key, "open_ms")));
    }
    expect(waits).toEqual([10_000, 20_000, 40_000, 60_000, 60_000]);
  });

  it("takes no word from calls that were under way when it opened, only from the one that tries", async () => {
    const { create, begin, finish, call, field } = await gate();
    const [slow, late] = [await create(), await create()];
    await begin(slow);
    await begin(late);
    for (let n = 0; n < 3; n += 1) await call(FAILED);
    await finish(slow, FAILED);
    expect(await field("open_ms")).toBe("5000");
    await finish(late, WELL);
    expect(await field("breaker")).toBe("open");
  });

  it("resumes at a ramp after a try that went well, and closes when that has gone well", async () => {
    const { create, begin, finish, call, clock, field } = await gate();
    for (let n = 0; n < 3; n += 1) await call(FAILED);
    await clock.wait(5_000);
    const probe = await create();
    await begin(probe);
    await finish(probe, WELL);
    const gaps: number[] = [];
    while ((await field("breaker")) === "ramp") {
      const gap = Number(await field("ramp_gap"));
      gaps.push(gap);
      const next = await create();
      expect((await begin(next)).kind).toBe("run");
      expect((await begin(await create())).kind).toBe("blocked");
      await finish(next, WELL);
      await clock.wait(gap - 1);
      if (gap > 32) expect((await begin(await create())).kind).toBe("blocked");
      await clock.wait(1);
    }
    expect(gaps).toEqual([500, 250, 125, 63, 32]);
    expect(await field("open_since")).toBeNull();
  });

  it("opens again at the first failure of the ramp", async () => {
    const { create, begin, finish, call, clock, field } = await gate();
    for (let n = 0; n < 3; n += 1) await call(FAILED);
    await clock.wait(5_000);
    const probe = await create();
    await begin(probe);
    await finish(probe, WELL);
    expect(await field("breaker")).toBe("ramp");
    await call(FAILED);
    expect(await field("breaker")).toBe("open");
  });
});

describe("how long a job has waited for a worker", () => {
  it("is counted from the end of the outage that it came in, and of a later one from when it came", async () => {
    const { create, begin, finish, call, clock, field } = await gate();
    const early = await create();
    for (let n = 0; n < 3; n += 1) await call(FAILED);
    await clock.wait(5_000);
    const probe = await create();
    expect(await begin(probe)).toMatchObject({ kind: "run", dueAt: clock.now });
    await finish(probe, WELL);
    let over = 0;
    while ((await field("breaker")) === "ramp") {
      const gap = Number(await field("ramp_gap"));
      const next = await create();
      expect(await begin(next)).toMatchObject({ kind: "run", dueAt: clock.now });
      await finish(next, WELL);
      over = clock.now;
      await clock.wait(gap);
    }
    const came = clock.now;
    const late = await create();
    await clock.wait(40);
    expect(await begin(early)).toMatchObject({ kind: "run", dueAt: over });
    expect(await begin(late)).toMatchObject({ kind: "run", dueAt: came });
  });

  it("is counted from when a hold was lifted, and from the end of a pause", async () => {
    const { create, begin, finish, call, clock, control, queue } = await gate();
    const early = await create();
    await call(REFUSED);
    await clock.wait(20_000);
    await control.resume(queue, null);
    await clock.wait(100);
    expect(await begin(early)).toMatchObject({ kind: "run", dueAt: clock.now - 100 });
    await finish(early, { kind: "throttled", retryAfterMs: 3_000 });
    const paused = await create();
    await clock.wait(3_200);
    expect(await begin(paused)).toMatchObject({ kind: "run", dueAt: clock.now - 200 });
    await finish(paused, WELL);
    await clock.wait(300);
    const next = await create();
    expect(await begin(next)).toMatchObject({ kind: "run", dueAt: clock.now });
  });

  it("is its own where nothing was stopped, also behind a quota", async () => {
    const { create, begin, clock } = await gate("1/1s");
    const [first, second] = [await create(), await create()];
    await clock.wait(30);
    expect(await begin(first)).toMatchObject({ kind: "run", dueAt: clock.now - 30 });
    expect(await begin(second)).toMatchObject({ kind: "blocked", cause: "quota" });
  });
});

describe("the gate's holds", () => {
  it("holds the credential at the first refusal, and fails nobody", async () => {
    const { call, store, queue, control } = await gate();
    await call(REFUSED);
    const waiting = await call(WELL);
    expect(waiting).toMatchObject({ kind: "blocked", cause: "held" });
    expect(await store.get(queue, waiting.id)).toMatchObject({ state: "waiting", reason: "held: 403", attempts: [] });
    expect((await control.read(queue)).holds).toMatchObject([{ scope: null, reason: "403" }]);
  });

  it("lets one job try after its time, whose success lifts it and nobody else's", async () => {
    const { create, begin, finish, call, clock, field } = await gate();
    const underWay = await create();
    await begin(underWay);
    await call(REFUSED);
    await finish(underWay, WELL);
    expect(await field("hold")).toBe("403");
    await clock.wait(300_000);
    const probe = await create();
    expect((await begin(probe)).kind).toBe("run");
    expect((await call(WELL)).kind).toBe("blocked");
    await finish(probe, WELL);
    expect(await field("hold")).toBeNull();
    expect((await call(WELL)).kind).toBe("run");
  });

  it("holds a scope alone, and a turn to try that finds no permit is not lost", async () => {
    const { call, control, queue, clock, begin, create } = await gate("3/1h");
    const scoped: CallHealth = { kind: "refused", scope: "user_code:A", reason: "346" };
    const a = { holdNames: ["user_code:A", "operation:x"] };
    const b = { holdNames: ["user_code:B", "operation:x"] };
    await call(scoped, a);
    expect(await call(WELL, a)).toMatchObject({ kind: "blocked", cause: "scope" });
    expect((await call(WELL, b)).kind).toBe("run");
    expect((await call(WELL, b)).kind).toBe("run");
    await clock.wait(300_000);
    const probe = await create(a);
    expect(await begin(probe)).toMatchObject({ kind: "blocked", cause: "quota" });
    await control.setQuota(queue, parseQuota("9/1h", "quota"));
    expect((await begin(probe)).kind).toBe("run");
    expect(await call(WELL, a)).toMatchObject({ kind: "blocked", cause: "scope" });
  });

  it("is lifted by hand, and says so where there was nothing to lift", async () => {
    const { call, control, queue, closedMs } = await gate();
    await call(REFUSED);
    expect(await control.resume(queue, null)).toBe(true);
    expect(await closedMs()).toBe(-2);
    expect(
      (await call({ kind: "refused", scope: "user_code:A", reason: "346" }, { holdNames: ["user_code:A"] })).kind,
    ).toBe("run");
    expect(await control.resume(queue, null)).toBe(false);
    expect(await control.resume(queue, "user_code:B")).toBe(false);
    expect(await control.resume(queue, "user_code:A")).toBe(true);
    expect((await control.read(queue)).holds).toEqual([]);
  });

  it("keeps a reason that looks like a number as it is", async () => {
    const { call, field } = await gate();
    await call({ kind: "refused", scope: null, reason: "0403" });
    expect(await call(WELL)).toMatchObject({ kind: "blocked", cause: "held" });
    expect(await field("hold")).toBe("0403");
  });
});
