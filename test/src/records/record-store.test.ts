import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dueKey, SETTLED_CHANNEL } from "../../../src/queues/names.ts";
import { createIds } from "../../../src/records/ids.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";
import { ending, newJob, QUEUE, RETENTION, settled, setup, T0, waiting } from "./journal-bundle.ts";

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => await redis.stop());

describe("RecordStore.create", () => {
  it("tells the same submission from another one with the same id, and keeps the first", async () => {
    const { store, created, get } = await setup(redis);
    expect(await store.create(QUEUE, [{ ...created, input: "sealed again" }])).toEqual(["duplicate"]);
    // The very same step, as it is sent again when its answer was cut off.
    expect(await store.create(QUEUE, [created])).toEqual(["created"]);
    expect(await store.create(QUEUE, [{ ...created, digest: "another", operation: "eko.other" }])).toEqual([
      "conflict",
    ]);
    expect(await get()).toMatchObject({ operation: "eko.mobile-otp", state: "queued" });
  });

  it("records many jobs in one go, also on a server that forgot its scripts", async () => {
    const { client, store } = await setup(redis);
    await client.script("FLUSH");
    const ids = createIds();
    const jobs = Array.from({ length: 300 }, (_, index) => newJob({ id: `${ids.job(T0)}-${index}` }));
    expect(new Set(await store.create(QUEUE, jobs))).toEqual(new Set(["created"]));
    const found = await store.getMany(QUEUE, [...jobs.map(({ id }) => id), "nobody"]);
    expect(found.filter((record) => record?.state === "queued")).toHaveLength(300);
    expect(found.at(-1)).toBeNull();
  });

  it("sends its script in full once, and takes a job in on a server that has forgotten it since", async () => {
    const { client, store } = await setup(redis);
    await client.config("RESETSTAT");
    expect(await store.create(QUEUE, [newJob()])).toEqual(["created"]);
    expect(await client.info("commandstats")).not.toContain("cmdstat_eval:");
    await client.script("FLUSH");
    expect(await store.create(QUEUE, [newJob()])).toEqual(["created"]);
    expect(await client.info("commandstats")).toContain("cmdstat_eval:calls=1,");
  });
});

describe("settling", () => {
  it("is published once, with the job's id", async () => {
    const { id, begin, finish } = await setup(redis);
    const subscriber = redis.client();
    await subscriber.subscribe(SETTLED_CHANNEL);
    const first = new Promise<string>((resolve) => subscriber.on("message", (_channel, message) => resolve(message)));
    await finish(T0 + 30, ending(await begin(T0)));
    expect(await first).toBe(id);
  });

  it("by abandoning never overrules a state that was reached", async () => {
    const { store, id, begin, finish, get } = await setup(redis);
    await finish(T0 + 30, ending(await begin(T0)));
    expect(await store.abandon(QUEUE, id, "failed", "given up", T0)).toBe("settled");
    expect(await get()).toMatchObject({ state: "succeeded" });
  });

  it("by abandoning ends a job that will not be called again, with its reason", async () => {
    const { store, id, get, ttl } = await setup(redis);
    expect(await store.abandon(QUEUE, id, "failed", "given up", T0 + 5)).toBe("done");
    expect(await get()).toMatchObject({ state: "failed", reason: "given up" });
    expect(await ttl()).toBeGreaterThan(0);
    expect(await store.abandon(QUEUE, "nobody", "failed", "reason", T0)).toBe("missing");
  });

  it("by abandoning is unknown where a call is under way, whose late truth is taken", async () => {
    const { store, id, begin, finish, get } = await setup(redis);
    const beginning = await begin(T0);
    expect(await store.abandon(QUEUE, id, "failed", "given up", T0 + 5)).toBe("done");
    expect(await get()).toMatchObject({ state: "unknown", reason: "given up" });
    expect(await finish(T0 + 30, ending(beginning))).toBe("done");
    expect(await get()).toMatchObject({ state: "succeeded", reason: null });
  });

  it("by abandoning is unknown where an earlier send may have happened, also as cancelled", async () => {
    const { store, id, client, key, begin, finish, get } = await setup(redis);
    const unsure = { ...waiting(T0 + 60_000, "unknown", "sent once more after the cooldown"), lost: true, resends: 1 };
    const beginning = await begin(T0);
    await finish(T0 + 30, ending(beginning, unsure));
    expect(await store.abandon(QUEUE, id, "cancelled", "not wanted", T0 + 40)).toBe("done");
    const reason = "an earlier send may have happened; not wanted";
    expect(await get()).toMatchObject({ state: "unknown", reason });
    // Who settles it may have it sent again, for as long as results are kept.
    expect(await client.hexists(key, "input")).toBe(1);
    expect(Number(await client.zscore(dueKey(QUEUE), id))).toBe(T0 + 40 + RETENTION.resultMs);
    expect(await finish(T0 + 50, ending(beginning))).toBe("done");
    expect(await get()).toMatchObject({ state: "succeeded" });
  });

  it("by abandoning is what was said where the attempt that is open was not made", async () => {
    const { store, id, begin, get } = await setup(redis);
    const beginning = await begin(T0);
    const unmade = beginning.kind === "run" ? beginning.attemptToken : "";
    await store.abandon(QUEUE, id, "failed", "no such operation", T0 + 5, unmade);
    expect(await get()).toMatchObject({ state: "failed", reason: "no such operation" });
  });
});

describe("a decision that is sent again, because its answer was cut off", () => {
  const kept = { lookAt: null, keepsInput: true } as const;

  it("gets the same answer, and is written once", async () => {
    const { store, id, begin, finish, get } = await setup(redis);
    await finish(T0 + 30, ending(await begin(T0), { state: "unknown", retention: kept }));
    const line = `{"decision":"resend","reason":"asked","at":${T0 + 40}}`;
    const settle = async () => await store.settle(QUEUE, id, "queued", line, T0 + 40, kept, settled(id));
    expect([await settle(), await settle()]).toEqual(["done", "done"]);
    expect((await get())?.decisions).toHaveLength(1);
    await store.abandon(QUEUE, id, "failed", "given up", T0 + 50);
    const again = `{"decision":"retry","reason":null,"at":${T0 + 60}}`;
    const revive = async () => await store.revive(QUEUE, id, again, T0 + 60, settled(id));
    expect([await revive(), await revive()]).toEqual(["done", "done"]);
    expect(await get()).toMatchObject({ state: "queued", decisions: [{ decision: "resend" }, { decision: "retry" }] });
  });
});

describe("RecordStore.findByReference", () => {
  it("finds a generated id by every client_ref_id that was made of it, and not by one that never was", async () => {
    const { client, store, id, journal, begin, finish } = await setup(redis);
    const first = await begin(T0);
    const again = { state: "waiting", nextAt: T0 + 60, cause: "backoff", result: null } as const;
    await finish(T0 + 30, ending(first, again));
    const second = await journal.begin(id, "unused", T0 + 60);
    expect(first).toMatchObject({ kind: "run", clientRefId: `${id}01` });
    expect(second).toMatchObject({ kind: "run", clientRefId: `${id}02` });
    expect(await store.findByReference(QUEUE, `${id}01`)).toBe(id);
    expect(await store.findByReference(QUEUE, `${id}02`)).toBe(id);
    expect(await store.findByReference(QUEUE, `${id}03`)).toBeNull();
    expect(await client.keys(`*ref:${id}*`)).toEqual([]);
  });

  it("finds an own id by the fresh client_ref_id of each attempt, for as long as records are kept", async () => {
    const ids = createIds();
    const own = `order-${ids.job(T0)}`;
    const { client, store, begin } = await setup(redis, { id: own, reference: "fresh" });
    const fresh = ids.reference(T0);
    expect(await begin(T0, fresh)).toMatchObject({ kind: "run", clientRefId: fresh });
    expect(await store.findByReference(QUEUE, fresh)).toBe(own);
    expect(await client.pttl(`satyapan:${QUEUE}:ref:${fresh}`)).toBeGreaterThan(50_000);
  });

  it("finds the send by a fixed client_ref_id, also after its verify has used it too", async () => {
    const sent = await setup(redis);
    const beginning = await sent.begin(T0);
    const fixed = beginning.kind === "run" ? beginning.clientRefId : "";
    const verify = await setup(redis, { operation: "eko.mobile-otp.verify", reference: { fixed }, of: sent.id });
    for (const now of [T0, T0 + 100]) {
      const attempt = await verify.begin(now);
      expect(attempt).toMatchObject({ kind: "run", clientRefId: fixed });
      await verify.finish(now + 30, ending(attempt, { state: "waiting", nextAt: T0, cause: "backoff", result: null }));
    }
    expect((await verify.get())?.attempts.map(({ client_ref_id }) => client_ref_id)).toEqual([fixed, fixed]);
    expect(await verify.store.findByReference(QUEUE, fixed)).toBe(sent.id);
  });

  it("keeps within 20 characters, and unlike any other, past 1,295 attempts", async () => {
    const { client, key, begin } = await setup(redis);
    await client.hset(key, "attempts", 1_295);
    const beginning = await begin(T0);
    expect(beginning).toMatchObject({ kind: "run", attemptToken: expect.stringMatching(/^1296 /) as string });
    expect(beginning.kind === "run" && beginning.clientRefId).toMatch(/^[0-9a-z]{14}000100$/);
  });

  it("finds nobody by what nobody used", async () => {
    const { store, id } = await setup(redis);
    for (const text of ["", "nobody", id, `${id}01`, "x".repeat(20)]) {
      expect(await store.findByReference(QUEUE, text)).toBeNull();
    }
  });
});

describe("RecordStore.lastSends", () => {
  it("tells the sends to each person, newest first, and nothing of a person who was sent none", async () => {
    const { client, store } = await setup(redis);
    await client.set(`satyapan:${QUEUE}:sent:a`, "1800000000200 two,1800000000100 one");
    expect(await store.lastSends(QUEUE, ["a", "nobody"])).toEqual([["two", "one"], []]);
    expect(await store.lastSends(QUEUE, [])).toEqual([]);
  });
});
