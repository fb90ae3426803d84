import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dueKey, queuePrefix, recordKey } from "../../../src/queues/names.ts";
import { retentionOf } from "../../../src/records/retention.ts";
import { RecordStore } from "../../../src/records/record-store.ts";
import { meanwhile } from "../../support/meanwhile.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";
import { ending, QUEUE, RETENTION, settled, setup, T0 } from "./journal-bundle.ts";

const HOUR = 3_600_000;
const OTP = 600_000;
const base = { step: "read", result: null, hasPersonal: false, endedAt: T0, resultRetentionMs: HOUR } as const;

describe("retentionOf", () => {
  it.each(["succeeded", "rejected", "expired", "cancelled"] as const)("keeps no input of what has %s", (state) => {
    expect(retentionOf({ ...base, state })).toEqual({ lookAt: T0 + OTP, keepsInput: false });
    expect(retentionOf({ ...base, state, hasPersonal: true })).toEqual({ lookAt: T0 + HOUR, keepsInput: false });
  });

  it.each(["failed", "unknown"] as const)(
    "keeps the input of a %s job, which may be tried again, as results",
    (state) => {
      for (const step of ["read", "send"] as const)
        expect(retentionOf({ ...base, state, step, expiresAt: T0 + 1 })).toEqual({
          lookAt: T0 + HOUR,
          keepsInput: true,
        });
    },
  );

  it.each(["failed", "unknown"] as const)("keeps the OTP of a %s verify until it dies, and no longer", (state) => {
    const kept = { ...base, state, step: "verify" } as const;
    expect(retentionOf({ ...kept, expiresAt: T0 + 5_000 }).lookAt).toBe(T0 + 5_000);
    expect(retentionOf({ ...kept, expiresAt: null }).lookAt).toBe(T0 + OTP);
    expect(retentionOf({ ...kept, expiresAt: T0 + 2 * HOUR }).lookAt).toBe(T0 + HOUR);
    expect(retentionOf({ ...kept, resultRetentionMs: 60_000 }).lookAt).toBe(T0 + 60_000);
  });

  it("keeps a send's input until its OTP can no longer be answered, whatever date the provider gives", () => {
    const sent = (result: Record<string, string | boolean> | null) =>
      retentionOf({ ...base, state: "succeeded", step: "send", result });
    const until = (ms: number) => ({ otp_sent: true, otp_valid_until: new Date(T0 + ms).toISOString() });
    expect(sent(until(90_000))).toEqual({ lookAt: T0 + 90_000, keepsInput: true });
    expect(sent({ otp_sent: true })).toEqual({ lookAt: T0 + OTP, keepsInput: true });
    expect(sent(null)).toEqual({ lookAt: T0 + OTP, keepsInput: true });
    expect(sent(until(1_000 * HOUR))).toEqual({ lookAt: T0 + OTP, keepsInput: true });
    expect(sent(until(-HOUR))).toEqual({ lookAt: T0 + OTP, keepsInput: true });
    expect(sent({ otp_sent: false })).toEqual({ lookAt: T0 + OTP, keepsInput: false });
  });

  it.each(["queued", "active", "waiting"] as const)("leaves a %s job alone", (state) => {
    expect(retentionOf({ ...base, state })).toEqual({ lookAt: "unchanged", keepsInput: true });
  });
});

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => await redis.stop());

/** As many as there are in this Redis: each test brings its own to nothing. */
async function due(at: number): Promise<string[]> {
  return await redis.client().zrangebyscore(dueKey(QUEUE), "-inf", at);
}

describe("RecordStore.reap", () => {
  it("destroys a failed job's input when results go, and keeps its record with its time to live", async () => {
    const { id, key, client, store, begin, finish, ttl, get } = await setup(redis);
    const lookAt = T0 + 30 + RETENTION.resultMs;
    await finish(T0 + 30, ending(await begin(T0), { state: "failed", retention: { lookAt, keepsInput: true } }));
    await store.reap(QUEUE, lookAt - 1);
    expect(await client.hexists(key, "input")).toBe(1);
    expect(await store.overdue(QUEUE, lookAt + 5_000)).toEqual({ count: 1, oldestMs: 5_000 });
    expect(await store.reap(QUEUE, lookAt)).toMatchObject({ expired: [], parked: [], more: false });
    expect(await client.hexists(key, "input")).toBe(0);
    expect(await get()).toMatchObject({ id, state: "failed", result: { tid: "42" } });
    expect(await ttl()).toBeGreaterThan(0);
    expect(await store.overdue(QUEUE, lookAt + HOUR)).toEqual({ count: 0, oldestMs: 0 });
  });

  it("takes a send's input with its OTP and its sealed result later, when results go", async () => {
    const { key, client, store, begin, finish } = await setup(redis);
    const sealed = { personal: "s2.sealed", retention: { lookAt: T0 + 1_000, keepsInput: true } };
    await finish(T0 + 30, ending(await begin(T0), sealed));
    await store.reap(QUEUE, T0 + 1_000);
    expect(await client.hmget(key, "input", "personal")).toEqual([null, "s2.sealed"]);
    await store.reap(QUEUE, T0 + 30 + RETENTION.resultMs);
    expect(await client.hget(key, "personal")).toBeNull();
    expect(await due(Infinity)).toEqual([]);
  });

  const sent = { retention: { lookAt: T0 + 1_000, keepsInput: true } };

  it.each(["replaced", "codes"])(
    "leaves a record as it is of which a person's step wrote `%s` while it was packed",
    async (field) => {
      const { key, id, store, begin, finish } = await setup(redis);
      await finish(T0 + 30, ending(await begin(T0), sent));
      await using beside = await meanwhile(redis, new RegExp(`evalsha[^]*${key}`), async (other) => {
        await other.hset(key, field, "next");
      });
      await new RecordStore(beside.client, RETENTION).reap(QUEUE, T0 + 1_000);
      expect(await store.fields(QUEUE, id)).toMatchObject({ state: "succeeded", [field]: "next" });
    },
  );

  it("packs a record of which nothing sealed is kept any more: it is told as before, for as long, in a quarter of the bytes", async () => {
    const { id, key, client, store, created, begin, finish, ttl, get } = await setup(redis, {
      subject: "S".repeat(22),
    });
    const start = await begin(T0);
    await finish(T0 + 30, ending(start, sent));
    const [before, bytes, left] = [await get(), await client.memory("USAGE", key), await ttl()];
    await store.reap(QUEUE, T0 + 1_000);
    expect(await client.object("ENCODING", key)).toMatch(/listpack|ziplist/);
    expect(Number(await client.memory("USAGE", key))).toBeLessThan(0.35 * Number(bytes));
    expect(await get()).toEqual(before);
    expect(await ttl()).toBeGreaterThan(left - 5_000);
    expect(await ttl()).toBeLessThanOrEqual(left);
    expect(await store.create(QUEUE, [created])).toEqual(["duplicate"]);
    expect(await store.create(QUEUE, [{ ...created, digest: "another" }])).toEqual(["conflict"]);
    expect(await store.states(QUEUE, [id])).toEqual(["succeeded"]);
    expect(await store.findByReference(QUEUE, `${id}01`)).toBe(id);
    expect(await begin(T0 + 2_000)).toEqual({ kind: "settled", state: "succeeded" });
    expect(await finish(T0 + 2_000, ending(start, sent))).toBe("done");
    expect(await finish(T0 + 2_000, ending(start, { ...sent, state: "rejected" }))).toBe("stale");
    expect(await get()).toEqual(before);
  });

  it.each(["before", "after"])("keeps the verify that answered a send %s its record was packed", async (when) => {
    const { id, client, key, store, begin, finish, add, journal, get } = await setup(redis);
    await finish(T0 + 30, ending(await begin(T0), sent));
    const before = await get();
    if (when === "after") await store.reap(QUEUE, T0 + 1_000);
    const verify = await add({ of: id });
    const start = await journal.begin(verify.id, "fresh-2", T0 + 500);
    await journal.finish(verify.id, T0 + 530, ending(start, { answers: id }));
    await store.reap(QUEUE, T0 + 1_000);
    expect(await client.hexists(key, "job")).toBe(0);
    expect(await client.hget(key, "answered")).toBe(verify.id);
    expect(await get()).toEqual(before);
  });

  it.each(["failed", "unknown"] as const)(
    "packs no %s record, of which somebody has still to decide",
    async (state) => {
      const { client, key, store, begin, finish } = await setup(redis);
      await finish(T0 + 30, ending(await begin(T0), { ...sent, state }));
      await store.reap(QUEUE, T0 + 1_000);
      expect(await client.hexists(key, "job")).toBe(1);
    },
  );

  it("expires a job at its deadline, once for all who reap at that moment", async () => {
    const { id, key, client, store, ttl } = await setup(redis, { expiresAt: T0 + 1_000 });
    await store.reap(QUEUE, T0 + 999);
    expect(await client.hget(key, "state")).toBe("queued");
    const rounds = await Promise.all(Array.from({ length: 4 }, async () => await store.reap(QUEUE, T0 + 1_000)));
    expect(rounds.flatMap(({ expired }) => expired.map((job) => job.id))).toEqual([id]);
    expect(await client.hmget(key, "state", "input")).toEqual(["expired", null]);
    expect(await ttl()).toBeGreaterThan(0);
    expect(await due(Infinity)).toEqual([]);
  });

  it("lets an attempt that is under way end by itself, and looks again", async () => {
    const { id, client, key, store, begin } = await setup(redis, { expiresAt: T0 + 1_000 });
    await begin(T0);
    expect(await store.reap(QUEUE, T0 + 1_000)).toMatchObject({ expired: [], parked: [], more: false });
    expect(await client.hmget(key, "state")).toEqual(["active"]);
    expect(await client.zscore(dueKey(QUEUE), id)).toBe(String(T0 + 61_000));
    await client.del(dueKey(QUEUE));
  });

  it("expires no job without a deadline, though it was looked at as unknown before its true outcome came", async () => {
    const { id, key, client, store } = await setup(redis);
    await client.hset(key, "state", "waiting");
    await client.zadd(dueKey(QUEUE), T0, id);
    expect(await store.reap(QUEUE, T0)).toMatchObject({ expired: [], parked: [], more: false });
    expect(await client.hmget(key, "state", "input")).toEqual(["waiting", expect.any(String)]);
    expect(await client.zscore(dueKey(QUEUE), id)).toBeNull();
    const late = await setup(redis, { expiresAt: T0 + 9_000 });
    await client.zadd(dueKey(QUEUE), T0, late.id);
    expect(await store.reap(QUEUE, T0)).toMatchObject({ expired: [], parked: [], more: false });
    expect(await client.zscore(dueKey(QUEUE), late.id)).toBe(String(T0 + 9_000));
    await client.del(dueKey(QUEUE));
  });

  it("is held back by none that it cannot take, which stays due, parks what is no record, forgets one that is gone", async () => {
    const { id, client, store } = await setup(redis, { expiresAt: T0 + 1_000 });
    const failed = `${queuePrefix(QUEUE)}failed`;
    await client.set(recordKey(QUEUE, "broken"), "no hash");
    await client.set(failed, "no index");
    await client.zadd(dueKey(QUEUE), T0, "broken", T0, "gone");
    const { expired, parked, more } = await store.reap(QUEUE, T0 + 1_000);
    expect({ expired: expired.map((job) => job.id), parked, more }).toEqual({ expired: [id], parked: [], more: false });
    expect(await due(Infinity)).toEqual(["broken"]);
    await client.del(failed);
    expect(await store.reap(QUEUE, T0 + 1_000)).toMatchObject({ expired: [], parked: ["broken"], more: false });
    expect(await due(Infinity)).toEqual([]);
    await client.del(failed, recordKey(QUEUE, "broken"));
  });

  it("destroys what is sealed of a record whose time is garbled", async () => {
    const { id, key, client, store } = await setup(redis);
    await client.hset(key, { state: "succeeded", updated: "x", personal: "sealed" });
    await client.zadd(dueKey(QUEUE), T0, id);
    expect(await store.reap(QUEUE, T0)).toMatchObject({ expired: [], parked: [], more: false });
    expect(await client.hmget(key, "input", "personal")).toEqual([null, null]);
    expect(await due(Infinity)).toEqual([]);
  });

  it("takes many in rounds, and says that more is due", async () => {
    const { store, add } = await setup(redis);
    for (let index = 0; index < 250; index++) await add({ id: `due-${index}`, expiresAt: T0 + index });
    const first = await store.reap(QUEUE, T0 + 1_000);
    const second = await store.reap(QUEUE, T0 + 1_000);
    expect([first, second].map(({ expired, more }) => [expired.length, more])).toEqual([
      [200, true],
      [50, false],
    ]);
  });
});

describe("RecordStore.abandon", () => {
  it("keeps an OTP no longer than it lives", async () => {
    const verify = { operation: "eko.mobile-otp.verify" };
    for (const [given, lookAt] of [
      [{}, T0 + RETENTION.resultMs],
      [{ ...verify, expiresAt: T0 + 2_000 }, T0 + 2_000],
      [verify, T0 + RETENTION.resultMs],
    ] as const) {
      const { id, store, client } = await setup(redis, given);
      await store.abandon(QUEUE, id, "failed", "given up", T0);
      expect(await client.zscore(dueKey(QUEUE), id)).toBe(String(lookAt));
    }
    await redis.client().del(dueKey(QUEUE));
  });
});

describe("RecordStore.settle", () => {
  it("closes the send's challenge where its verify turns out to have succeeded, as its own outcome would", async () => {
    const send = await setup(redis);
    const sent = ending(await send.begin(T0), { retention: { lookAt: T0 + OTP, keepsInput: true } });
    await send.finish(T0 + 30, sent);
    for (const [decision, answered] of [
      ["rejected", [null, expect.any(String)]],
      ["succeeded", ["v-2", null]],
    ] as const) {
      const id = decision === "rejected" ? "v-1" : "v-2";
      const verify = await send.add({ id, operation: "eko.mobile-otp.verify", of: send.id });
      await send.client.hset(recordKey(QUEUE, verify.id), "state", "unknown");
      const gone = { lookAt: null, keepsInput: false };
      expect(await send.store.settle(QUEUE, id, decision, "{}", T0, gone, settled(id))).toBe("done");
      expect(await send.client.hmget(send.key, "answered", "input")).toEqual(answered);
      expect(await send.client.hexists(recordKey(QUEUE, id), "input")).toBe(0);
    }
    await send.client.del(dueKey(QUEUE), `${queuePrefix(QUEUE)}audit`);
  });
});
