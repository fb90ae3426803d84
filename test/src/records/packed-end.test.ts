import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dueKey, queuePrefix } from "../../../src/queues/names.ts";
import type { AttemptEnd } from "../../../src/records/attempt-end.ts";
import { packParent, PARENT_KINDS } from "../../../src/records/parent.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";
import { ending, QUEUE, setup, SUCCEEDED, T0, waiting } from "./journal-bundle.ts";

const SEALED = { input: JSON.stringify({ plain: {}, sealed: { mobile: "s2.".padEnd(120, "x") } }) };
const SUBJECT = "P".repeat(22);
const OTP_DIES = T0 + 600_000;
const SENT: Partial<AttemptEnd> = {
  result: { tid: "42", otp_sent: true, otp_valid_until: null },
  retention: { lookAt: OTP_DIES, keepsInput: true },
};
const PARENT = packParent({ kind: PARENT_KINDS.onboarding, of: "onb-1", part: "send" });

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => await redis.stop());

async function due(id: string): Promise<string | null> {
  return await redis.client().zscore(dueKey(QUEUE), id);
}

describe("a job that ends with its first attempt", () => {
  it("is packed at once, told as it was, and looked at no more where nothing of it is sealed", async () => {
    const { id, key, client, created, store, begin, finish, get, ttl } = await setup(redis, {
      ...SEALED,
      expiresAt: T0 + 9_000,
    });
    const start = await begin(T0 + 10);
    expect(await due(id)).toBe(String(T0 + 9_000));
    const end = ending(start, { state: "rejected", reason: "no such person" });
    expect(await finish(T0 + 30, end)).toBe("done");
    const names = Object.keys(await client.hgetall(key));
    expect(names.filter((name) => !/^\d+$/.test(name)).toSorted()).toEqual(["digest", "state"]);
    expect(await get()).toMatchObject({
      ...{ id, operation: created.operation, state: "rejected", reason: "no such person", result: { tid: "42" } },
      attempts: [{ n: 1, client_ref_id: `${id}01`, outcome: SUCCEEDED, ended_at: new Date(T0 + 30).toISOString() }],
      ...{ created_at: new Date(T0).toISOString(), updated_at: new Date(T0 + 30).toISOString() },
      expires_at: new Date(T0 + 9_000).toISOString(),
    });
    expect(await due(id)).toBeNull();
    expect(await ttl()).toBeGreaterThan(0);
    expect(await store.create(QUEUE, [created])).toEqual(["duplicate"]);
    expect(await begin(T0 + 40)).toEqual({ kind: "settled", state: "rejected" });
  });

  it.each([
    ["of one piece", "short"],
    ["of several pieces", "long ".repeat(20)],
  ])("answers the same when that is sent again, %s, and another end is too late", async (_, tid) => {
    const { begin, finish, get } = await setup(redis);
    const end = ending(await begin(T0 + 10), { result: { tid } });
    expect([await finish(T0 + 30, end), await finish(T0 + 30, end)]).toEqual(["done", "done"]);
    const before = await get();
    expect(await finish(T0 + 40, { ...end, state: "rejected", reason: "late" })).toBe("stale");
    expect(await get()).toEqual(before);
  });

  it("keeps a send's input until its OTP dies, which its reaper takes in place", async () => {
    const { id, key, client, store, created, begin, finish, get, ttl } = await setup(redis, {
      ...SEALED,
      subject: SUBJECT,
    });
    await finish(T0 + 30, ending(await begin(T0 + 10), SENT));
    expect(await client.hmget(key, "input", "job", "1")).toEqual([SEALED.input, null, expect.any(String)]);
    expect(await due(id)).toBe(String(OTP_DIES));
    const [before, left] = [await get(), await ttl()];
    expect((await store.reap(QUEUE, OTP_DIES)).unanswered).toEqual([created.operation]);
    expect(await client.hmget(key, "input", "operation")).toEqual([null, null]);
    expect(await client.object("ENCODING", key)).toMatch(/listpack|ziplist/);
    expect(await get()).toEqual(before);
    expect(await ttl()).toBeGreaterThan(left - 5_000);
    expect(await ttl()).toBeLessThanOrEqual(left);
    expect(await due(id)).toBeNull();
  });

  it("is seen by who would send the person another OTP, until it is answered", async () => {
    const { id, client, key, store, created, begin, finish } = await setup(redis, { subject: SUBJECT.toLowerCase() });
    await finish(T0 + 30, ending(await begin(T0 + 10), SENT));
    const create = async (next: string, operation = created.operation): Promise<string[]> =>
      await store.create(QUEUE, [{ ...created, id: next, operation }], [[]]);
    expect(await create("second")).toEqual([`pending ${id}`]);
    expect(await create("other", "eko.other")).toEqual(["created"]);
    await client.hset(key, "answered", "verify");
    expect(await create("third")).toEqual(["created"]);
  });

  it("tells its parent, which others still read field by field", async () => {
    const { id, key, client, begin, finish } = await setup(redis, { parent: PARENT });
    await finish(T0 + 30, ending(await begin(T0 + 10), SENT));
    expect(await client.hmget(key, "parent", "updated")).toEqual([PARENT, String(T0 + 30)]);
    const [, fields] = (await client.xrevrange(`${queuePrefix(QUEUE)}parents`, "+", "-", "COUNT", 1))[0] ?? [];
    expect(fields).toEqual(["e", `${id} succeeded ${PARENT}`]);
  });

  it.each([
    ["a code came before", "early", "1"],
    ["somebody decided about", "decisions", "{}"],
    ["a later version wrote to", "what", "ever"],
  ])("stays as it is where %s it", async (_, name, value) => {
    const { key, client, begin, finish } = await setup(redis);
    const start = await begin(T0 + 10);
    await client.hset(key, name, value);
    expect(await finish(T0 + 30, ending(start, SENT))).toBe("done");
    expect(await client.hmget(key, name, "state", "1")).toEqual([value, "succeeded", null]);
  });

  it.each<[string, Partial<AttemptEnd>]>([
    ["failed", { state: "failed" }],
    ["is unknown", { state: "unknown", lost: true }],
    ["has a sealed result", { personal: "s2.sealed" }],
    ["may have sent no OTP", { ...SENT, result: { tid: "42" } }],
    ["has much to tell", { result: { note: "a b.".repeat(70) } }],
    ["waits", waiting(T0 + 60_000, "pending", "pending")],
  ])("stays as it is where it %s", async (_, given) => {
    const { key, client, begin, finish } = await setup(redis);
    await finish(T0 + 30, ending(await begin(T0 + 10), given));
    expect(await client.hexists(key, "job")).toBe(1);
  });

  it("answers the same when that is sent again after the reaper packed it, and another end is too late", async () => {
    const { key, client, store, begin, finish, get } = await setup(redis);
    await finish(T0 + 30, ending(await begin(T0 + 10), waiting(T0 + 40, "pending", "pending")));
    const end = ending(await begin(T0 + 50), { retention: { lookAt: T0 + 1_000, keepsInput: false } });
    expect(await finish(T0 + 60, end)).toBe("done");
    await store.reap(QUEUE, T0 + 1_000);
    expect(await client.hexists(key, "attempt:2")).toBe(0);
    const before = await get();
    // Redis was away for as long as that.
    expect(await finish(T0 + 60, end)).toBe("done");
    expect(await finish(T0 + 60, { ...end, state: "rejected" })).toBe("stale");
    expect(await finish(T0 + 60, { ...end, attempt: { ...end.attempt, ended: T0 + 70 } })).toBe("stale");
    expect(await get()).toEqual(before);
  });

  it("stays as it is after a second attempt, and is packed by the reaper", async () => {
    const { key, client, store, begin, finish, get } = await setup(redis);
    await finish(T0 + 30, ending(await begin(T0 + 10), waiting(T0 + 40, "pending", "pending")));
    const rest = { retention: { lookAt: T0 + 1_000, keepsInput: false } };
    await finish(T0 + 60, ending(await begin(T0 + 50), rest));
    const before = await get();
    expect(before?.attempts).toHaveLength(2);
    expect(await client.hexists(key, "job")).toBe(1);
    await store.reap(QUEUE, T0 + 1_000);
    expect(await client.hexists(key, "job")).toBe(0);
    expect(await get()).toEqual(before);
  });
});
