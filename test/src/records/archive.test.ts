import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ANSWER, RESEND } from "../../../src/challenges/scripts.ts";
import { archiveKey, dueKey, queuePrefix, recordKey } from "../../../src/queues/names.ts";
import { archivedFields, idsInArchive, TIME_LENGTHS } from "../../../src/records/archive.ts";
import type { AttemptEnd } from "../../../src/records/attempt-end.ts";
import { createIds } from "../../../src/records/ids.ts";
import { RecordStore } from "../../../src/records/record-store.ts";
import type { NewJob } from "../../../src/records/stored-job.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";
import { HOUR, OTP_DIES, recordsAtRest, SENT } from "./archive-bundle.ts";
import { ending, newJob, QUEUE, RETENTION, settled, T0 } from "./journal-bundle.ts";

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => await redis.stop());

const DECISION = '{"by":"test"}';

async function atRest(jobs: readonly Partial<NewJob>[], archives = true, how: Partial<AttemptEnd> = SENT) {
  return await recordsAtRest(redis, jobs, archives, how);
}

async function hasOwnKey(id: string): Promise<boolean> {
  return (await redis.client().exists(recordKey(QUEUE, id))) === 1;
}

async function archiveKeys(): Promise<string[]> {
  return (await redis.client().keys(archiveKey(QUEUE, "*"))).toSorted();
}

describe("a record at rest", () => {
  it("shares a hash with those made about the same time, is told as before and kept as long", async () => {
    const subject = "S".repeat(22);
    const { client, store, made, before } = await atRest([{ subject }, {}, {}]);
    const ids = made.map(({ id }) => id);
    expect(await archiveKeys()).toEqual([archiveKey(QUEUE, ids[0]?.slice(0, TIME_LENGTHS.first) ?? "")]);
    const [archive = ""] = await archiveKeys();
    expect((await idsInArchive(client, [archive])).toSorted()).toEqual(ids.toSorted());
    for (const { id, record } of before) {
      expect(await hasOwnKey(id)).toBe(false);
      expect(await store.get(QUEUE, id)).toEqual(record);
      expect(await store.findByReference(QUEUE, `${id}01`)).toBe(id);
    }
    expect(await store.getMany(QUEUE, [...ids, "nobody"])).toEqual([...before.map(({ record }) => record), null]);
    expect(await store.states(QUEUE, [...ids, "nobody"])).toEqual([...ids.map(() => "succeeded"), null]);
    expect(await store.digests(QUEUE, ids)).toEqual(made.map(({ digest }) => digest));
    expect(await store.subjectsOf(QUEUE, ids)).toEqual([subject, null, null]);
    const left = await client.pttl(archive);
    expect(left).toBeLessThanOrEqual(RETENTION.recordMs);
    expect(left).toBeGreaterThan(RETENTION.recordMs - 10_000);
    expect(await client.zcard(dueKey(QUEUE))).toBe(0);
  });

  it("has nothing in it that was sealed", async () => {
    const { client } = await atRest([{ input: '{"plain":{},"sealed":{"mobile":"s2.SEALED"}}' }]);
    const [archive = ""] = await archiveKeys();
    expect(JSON.stringify(await client.hgetall(archive))).not.toContain("SEALED");
  });

  it("is archived by the reaper also where nothing of it was sealed, and where its second attempt ended it", async () => {
    const { made } = await atRest([{}], true, { retention: { lookAt: OTP_DIES, keepsInput: false } });
    expect(await hasOwnKey(made[0]?.id ?? "")).toBe(false);
    const twice = await atRest([{}], true, { ...SENT, used: 2, lost: true });
    expect(await hasOwnKey(twice.made[0]?.id ?? "")).toBe(false);
    expect(await twice.store.get(QUEUE, twice.made[0]?.id ?? "")).toEqual(twice.before[0]?.record);
  });

  it.each([false, true])("is counted by how its OTP ended, with the archive on: %s", async (isOn) => {
    const { client, journal } = await atRest([]);
    const store = new RecordStore(client, { ...RETENTION, archives: isOn });
    const sends = ["nobody", "wrong", "replaced", "answered"].map(() => newJob({ id: createIds().job(T0) }));
    const [nobody, wrong, replaced, answered] = sends.map(({ id }) => id);
    await store.create(QUEUE, sends);
    for (const { id } of sends) {
      await journal.finish(id, T0 + 30, ending(await journal.begin(id, "fresh", T0 + 10), SENT));
    }
    await client.hset(recordKey(QUEUE, wrong ?? ""), { codes: "h v-1 1", operation: "eko.wrong" });
    await client.hset(recordKey(QUEUE, nobody ?? ""), "operation", "eko.nobody");
    await client.hset(recordKey(QUEUE, replaced ?? ""), "replaced", "next");
    await client.hset(recordKey(QUEUE, answered ?? ""), "answered", "verify");
    await client.hdel(recordKey(QUEUE, answered ?? ""), "input");
    expect(await store.reap(QUEUE, OTP_DIES)).toMatchObject({ unanswered: ["eko.nobody"], spent: ["eko.wrong"] });
    expect(await hasOwnKey(wrong ?? "")).toBe(!isOn);
    expect(await store.fields(QUEUE, wrong ?? "")).toMatchObject({ codes: "h v-1 1" });
    expect(await store.fields(QUEUE, replaced ?? "")).toMatchObject({ replaced: "next" });
    expect(await store.fields(QUEUE, answered ?? "")).toMatchObject({ answered: "verify" });
  });

  it.each(["rejected", "expired", "cancelled"] as const)("is archived also where it is %s", async (state) => {
    const { client, store } = await atRest([]);
    const job = newJob({ id: createIds().job(T0), expiresAt: T0 + 500 });
    await store.create(QUEUE, [job]);
    if (state === "expired") await store.reap(QUEUE, T0 + 500);
    else await store.abandon(QUEUE, job.id, state, "so it is", T0 + 10);
    const before = await store.get(QUEUE, job.id);
    await client.zadd(dueKey(QUEUE), T0 + 600, job.id);
    await store.reap(QUEUE, T0 + 600);
    expect(await hasOwnKey(job.id)).toBe(false);
    expect(await store.get(QUEUE, job.id)).toEqual(before);
    expect(await store.promote(QUEUE, job.id, DECISION, T0, settled(job.id))).toBe("other");
    expect(await hasOwnKey(job.id)).toBe(true);
    expect(await store.get(QUEUE, job.id)).toEqual(before);
  });

  it("takes a quarter less of memory than one with a key of its own", async () => {
    const bytesWith = async (isArchived: boolean): Promise<number> => {
      await redis.client().flushall();
      await redis.client().config("SET", "hash-max-listpack-value", "1024");
      const jobs = Array.from({ length: 100 }, () => ({ digest: "D".repeat(22), subject: null }));
      const { client } = await atRest(jobs, isArchived);
      const keys = await client.keys(`${queuePrefix(QUEUE)}${isArchived ? "archive" : "job"}:*`);
      const sizes = await Promise.all(keys.map(async (key) => Number(await client.memory("USAGE", key, "SAMPLES", 0))));
      return sizes.reduce((sum, size) => sum + size, 0);
    };
    expect((await bytesWith(true)) / (await bytesWith(false))).toBeLessThan(0.75);
  });

  it("goes on where a hash is full into one of 36 others, and where that is full into those of a shorter time", async () => {
    const { client, store, made } = await atRest(Array.from({ length: 500 }, () => ({})));
    const ids = made.map(({ id }) => id);
    const [first = "", ...others] = await archiveKeys();
    expect(others.length).toBeGreaterThan(20);
    expect(others.every((key) => key.length === first.length + 1)).toBe(true);
    expect(await client.hlen(first)).toBeLessThan(400);
    const allFound = async (): Promise<void> => {
      const states = await store.states(QUEUE, ids);
      expect(states.filter((state) => state === "succeeded")).toHaveLength(500);
      expect((await archivedFields(client, QUEUE, ids)).filter((fields) => fields !== null)).toHaveLength(500);
      expect(await idsInArchive(client, await archiveKeys())).toHaveLength(500);
    };
    await allFound();
    // Each of the 36 as full as it may be.
    for (const other of others) {
      const filling = Object.fromEntries(Array.from({ length: 128 }, (_, n) => [`filling-${n}`, "s"]));
      await client.hset(other, filling);
    }
    for (const id of ids) await store.promote(QUEUE, id, DECISION, T0, settled(id));
    for (const id of ids) await client.zadd(dueKey(QUEUE), OTP_DIES, id);
    await client.hset(first, Object.fromEntries(Array.from({ length: 128 }, (_, n) => [`filling-${n}`, "s"])));
    while ((await store.reap(QUEUE, OTP_DIES)).more);
    const later = (await archiveKeys()).filter((key) => key.length === first.length + 2);
    expect(later.length).toBeGreaterThan(20);
    for (const key of [first, ...others]) {
      await client.hdel(key, ...Array.from({ length: 128 }, (_, n) => `filling-${n}`));
    }
    await allFound();
    for (const id of ids) expect(await store.promote(QUEUE, id, DECISION, T0, settled(id))).toBe("other");
    expect(await archiveKeys()).toEqual([]);
  });

  it("makes an archive live as long as its last record, also where a shorter one comes later", async () => {
    const id = createIds().job(T0);
    const { client, store, journal } = await atRest([{ id }]);
    const [archive = ""] = await archiveKeys();
    await client.pexpire(archive, 2 * HOUR);
    const later = newJob({ id: createIds().job(T0) });
    await store.create(QUEUE, [later]);
    await journal.finish(later.id, T0 + 30, ending(await journal.begin(later.id, "fresh", T0), SENT));
    await store.reap(QUEUE, OTP_DIES);
    expect(await client.hlen(archive)).toBe(2);
    expect(await client.pttl(archive)).toBeGreaterThan(HOUR);
  });

  it.each<[why: string, job: Partial<NewJob>, end: Partial<AttemptEnd>, archives: boolean]>([
    ["where the setting is off", {}, SENT, false],
    ["with an id of the caller's own", { id: "order-4711" }, SENT, true],
    ["of a batch's row", { id: "b0123456789-12" }, SENT, true],
    ["that ended long after it was made", { id: createIds().job(T0 - 2 * HOUR) }, SENT, true],
    ["with an id that only looks generated", { id: "zzzzzzzzzzzzzzzzzz" }, SENT, true],
    ["that failed", {}, { ...SENT, state: "failed" }, true],
    ["that is unknown", {}, { ...SENT, state: "unknown" }, true],
  ])("keeps a key of its own %s", async (_, job, end, isOn) => {
    const { made, before, store } = await atRest([job], isOn, end);
    const [{ id } = newJob()] = made;
    expect(await hasOwnKey(id)).toBe(true);
    expect(await archiveKeys()).toEqual([]);
    expect(await store.get(QUEUE, id)).toEqual(before[0]?.record);
  });
});

describe("an archived record", () => {
  const prefix = queuePrefix(QUEUE);
  type Bundle = Awaited<ReturnType<typeof atRest>>;
  const steps: readonly (readonly [name: string, step: (bundle: Bundle, id: string) => Promise<unknown>])[] = [
    ["submitted again", async ({ store, made }) => await store.create(QUEUE, made)],
    [
      "submitted with another input",
      async ({ store, made }) =>
        await store.create(
          QUEUE,
          made.map((job) => ({ ...job, digest: "another" })),
        ),
    ],
    ["begun", async ({ journal }, id) => await journal.begin(id, "fresh", T0 + HOUR)],
    [
      "ended as it was",
      async ({ journal, before }, id) => await journal.finish(id, T0 + 30, ending(startOf(before), SENT)),
    ],
    [
      "ended otherwise",
      async ({ journal, before }, id) =>
        await journal.finish(id, T0 + HOUR, ending(startOf(before), { ...SENT, state: "rejected", reason: "late" })),
    ],
    ["given up", async ({ store }, id) => await store.abandon(QUEUE, id, "failed", "given up", T0)],
    [
      "settled",
      async ({ store }, id) => await store.settle(QUEUE, id, "rejected", DECISION, T0, SENT.retention, settled(id)),
    ],
    ["tried again", async ({ store }, id) => await store.revive(QUEUE, id, DECISION, T0, settled(id))],
    ["promoted", async ({ store }, id) => await store.promote(QUEUE, id, DECISION, T0, settled(id))],
    [
      "given a code",
      async ({ client }, id) =>
        await ANSWER.run(client, [recordKey(QUEUE, id)], {
          ...{ prefix, hash: "h", deadline: OTP_DIES, now: T0 + HOUR, verify_name: "v", onboarding: null },
        }),
    ],
    [
      "asked for another OTP",
      async ({ client }, id) =>
        await RESEND.run(client, [recordKey(QUEUE, id)], { prefix, not_before: T0, now: T0 + HOUR, next_send: "next" }),
    ],
    [
      "answered by a verify",
      async ({ store, journal }, id) => {
        const verify = newJob({ id: createIds().job(T0), of: id });
        await store.create(QUEUE, [verify]);
        const start = await journal.begin(verify.id, "fresh-2", T0 + HOUR);
        return await journal.finish(verify.id, T0 + HOUR, ending(start, { answers: id }));
      },
    ],
  ];

  function startOf(before: Bundle["before"]) {
    const [one] = before;
    if (one === undefined) throw new Error("no job was begun");
    return one.start;
  }

  it.each(steps)("that is %s answers as one with a key of its own, and is the same after it", async (_, step) => {
    const outcomes = [];
    for (const isOn of [false, true]) {
      const id = createIds((bytes) => bytes.fill(7)).job(T0);
      const bundle = await atRest([{ id }], isOn);
      expect(await hasOwnKey(id)).toBe(!isOn);
      const answer = await step(bundle, id);
      const fields = await bundle.store.fields(QUEUE, id);
      // Of those that tell when and by which process it was called, each has its own.
      outcomes.push({ answer, fields: { ...fields, answered: fields?.["answered"] === undefined ? "no" : "yes" } });
      // It is in one place, and goes when its time is over.
      const archived = await idsInArchive(bundle.client, await archiveKeys());
      expect([await hasOwnKey(id), archived.includes(id)].filter(Boolean)).toHaveLength(1);
      if (await hasOwnKey(id)) expect(await bundle.client.pttl(recordKey(QUEUE, id))).toBeGreaterThan(0);
    }
    expect(outcomes[1]).toEqual(outcomes[0]);
  });

  it("is found by everyone who reads it while it comes and goes", async () => {
    const { client, store, made } = await atRest([{}]);
    const [{ id } = newJob()] = made;
    const other = redis.client();
    const reader = new RecordStore(other, RETENTION);
    const round = { isOver: false };
    const moves = (async (): Promise<void> => {
      for (let times = 0; times < 200; times++) {
        await store.promote(QUEUE, id, DECISION, T0, settled(id)); // takes it out, and does nothing else
        await client.zadd(dueKey(QUEUE), OTP_DIES, id);
        await store.reap(QUEUE, OTP_DIES); // puts it back
      }
      round.isOver = true;
    })();
    let read = 0;
    while (!round.isOver) {
      expect(await reader.states(QUEUE, [id])).toEqual(["succeeded"]);
      expect(await reader.get(QUEUE, id)).toMatchObject({ id, state: "succeeded" });
      read++;
    }
    await moves;
    expect(read).toBeGreaterThan(20);
    expect(await hasOwnKey(id)).toBe(false);
  });
});
