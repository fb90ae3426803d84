import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GatePolicy } from "../../../src/limits/policy.ts";
import { recordKey, SETTLED_CHANNEL } from "../../../src/queues/names.ts";
import { newId } from "../../../src/records/ids.ts";
import type { RecordedOutcome } from "../../../src/records/record.ts";
import { type Ending, type NewJob, RecordStore } from "../../../src/records/record-store.ts";
import { NO_REPLY } from "../../../src/outcomes/outcome.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";

const QUEUE = "{eko-0}";
const RETENTION_MS = 60_000;
const POLICY: GatePolicy = {
  holdMs: 300_000,
  callMs: 30_000,
  cooldownMs: 60_000,
  otpLimit: { max: 5, ms: 1_800_000 },
  floorEvery: 9,
};
const T0 = 1_800_000_000_000;
const SUCCEEDED: RecordedOutcome = {
  kind: "succeeded",
  ...NO_REPLY,
  http_status: 200,
  status: 0,
  response_status_id: 0,
};
const PENDING: RecordedOutcome = { kind: "pending", ...NO_REPLY, http_status: 409, sub_code: "VERIFICATION_PENDING" };
const UNKNOWN: RecordedOutcome = { kind: "unknown", ...NO_REPLY };

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => await redis.stop());

function job(given: Partial<NewJob> = {}): NewJob {
  return {
    id: newId(Date.now()),
    operation: "eko.mobile-otp",
    lane: "interactive",
    input: '{"plain":{},"sealed":{}}',
    digest: "digest",
    clientRefId: null,
    subject: null,
    scopes: [],
    createdAt: T0,
    expiresAt: null,
    ...given,
  };
}

function ending(n: number, given: Partial<Ending> = {}): Ending {
  return {
    n,
    attempt: { client_ref_id: `ref-${n}`, started: T0 + 10, ended: T0 + 30, outcome: SUCCEEDED },
    state: "succeeded",
    reason: null,
    nextAt: null,
    result: { tid: "42" },
    personal: null,
    used: n,
    pendings: 0,
    resends: 0,
    cause: null,
    health: null,
    sent: false,
    challenge: null,
    lost: false,
    ...given,
  };
}

/** A store and one job that is recorded in it. */
async function setup(given: Partial<NewJob> = {}) {
  const client = redis.client();
  const store = new RecordStore(client, RETENTION_MS);
  const created = job(given);
  await store.create(QUEUE, [created]);
  const begin = async (ref: string, now: number) => await store.begin(QUEUE, created.id, ref, now, POLICY);
  const finish = async (now: number, how: Ending) =>
    (await store.finish(QUEUE, created.id, now, how, POLICY.holdMs)).answer;
  const ttl = async () => await client.pttl(recordKey(QUEUE, created.id));
  return {
    client,
    store,
    id: created.id,
    created,
    begin,
    finish,
    ttl,
    get: async () => await store.get(QUEUE, created.id),
  };
}

describe("RecordStore.create", () => {
  it("tells the same submission from another one with the same id, and keeps the first", async () => {
    const { store, created, get } = await setup();
    expect(await store.create(QUEUE, [created])).toEqual(["duplicate"]);
    expect(await store.create(QUEUE, [{ ...created, digest: "another", operation: "eko.other" }])).toEqual([
      "conflict",
    ]);
    expect(await get()).toMatchObject({ operation: "eko.mobile-otp", state: "queued" });
  });

  it("records many jobs in one go, also on a server that forgot its scripts", async () => {
    const { client, store } = await setup();
    await client.script("FLUSH");
    const jobs = Array.from({ length: 300 }, (_, index) => job({ id: `${newId(T0)}-${index}` }));
    expect(new Set(await store.create(QUEUE, jobs))).toEqual(new Set(["created"]));
    const found = await store.getMany(QUEUE, [...jobs.map(({ id }) => id), "nobody"]);
    expect(found.filter((record) => record?.state === "queued")).toHaveLength(300);
    expect(found.at(-1)).toBeNull();
  });
});

describe("the journal", () => {
  it("writes an attempt down, with its client_ref_id, before it has an outcome", async () => {
    const { store, id, begin, get } = await setup();
    expect(await begin("ref-1", T0 + 10)).toMatchObject({ kind: "run", n: 1, clientRefId: "ref-1", dueAt: T0 });
    const record = await get();
    expect(record).toMatchObject({ state: "active", outcome: null });
    expect(record?.attempts).toEqual([
      { n: 1, client_ref_id: "ref-1", started_at: new Date(T0 + 10).toISOString(), ended_at: null, outcome: null },
    ]);
    expect(await store.findByReference(QUEUE, "ref-1")).toBe(id);
  });

  it("closes it with its outcome, and keeps the settled record for its retention only", async () => {
    const { begin, finish, get, ttl } = await setup();
    await begin("ref-1", T0 + 10);
    expect(await ttl()).toBe(-1);
    expect(await finish(T0 + 30, ending(1))).toBe("done");
    expect(await get()).toMatchObject({
      state: "succeeded",
      outcome: SUCCEEDED,
      attempts: [{ n: 1, outcome: SUCCEEDED, ended_at: new Date(T0 + 30).toISOString() }],
      result: { tid: "42" },
      reason: null,
      next_attempt_at: null,
    });
    expect(await ttl()).toBeGreaterThan(RETENTION_MS - 5_000);
    expect(await begin("ref-2", T0 + 50)).toEqual({ kind: "settled", state: "succeeded" });
  });

  it("uses the job's own client_ref_id for every attempt where it has one", async () => {
    const { begin, get } = await setup({ clientRefId: "of-the-send" });
    expect(await begin("fresh", T0)).toMatchObject({ kind: "run", clientRefId: "of-the-send" });
    expect((await get())?.attempts[0]?.client_ref_id).toBe("of-the-send");
  });

  it("does not let a waiting job be tried before its time", async () => {
    const { begin, finish, get } = await setup();
    await begin("ref-1", T0 + 10);
    const wait = {
      state: "waiting",
      reason: "pending",
      nextAt: T0 + 5_000,
      cause: "pending",
      result: null,
      pendings: 1,
      used: 0,
    } as const;
    await finish(T0 + 30, ending(1, { ...wait, attempt: { ...ending(1).attempt, outcome: PENDING } }));
    expect(await get()).toMatchObject({
      state: "waiting",
      reason: "pending",
      next_attempt_at: new Date(T0 + 5_000).toISOString(),
    });
    expect(await begin("ref-2", T0 + 4_999)).toEqual({ kind: "early", until: T0 + 5_000 });
    expect(await begin("ref-2", T0 + 5_000)).toMatchObject({
      kind: "run",
      n: 2,
      dueAt: T0 + 5_000,
      job: { pendings: 1, used: 0 },
    });
    expect(await get()).toMatchObject({ state: "active", reason: null, next_attempt_at: null });
  });

  it("shows a job that is taken up again its open attempt, and does not open another", async () => {
    const { begin, get } = await setup();
    await begin("ref-1", T0 + 10);
    expect(await begin("ref-2", T0 + 60_000)).toMatchObject({
      kind: "open",
      n: 1,
      attempt: { client_ref_id: "ref-1", started: T0 + 10 },
    });
    expect((await get())?.attempts).toHaveLength(1);
  });

  it("takes the true outcome of an attempt that was given up, when its worker turns out to be alive", async () => {
    const { begin, finish, get } = await setup();
    await begin("ref-1", T0 + 10);
    const lost = ending(1, {
      state: "unknown",
      reason: "lost",
      lost: true,
      result: null,
      attempt: { ...ending(1).attempt, outcome: UNKNOWN },
    });
    expect(await finish(T0 + 60_000, lost)).toBe("done");
    expect(await get()).toMatchObject({ state: "unknown", reason: "lost" });
    expect(await finish(T0 + 60_500, ending(1))).toBe("done");
    expect(await get()).toMatchObject({ state: "succeeded", reason: null, outcome: SUCCEEDED });
  });

  it("does not let a late worker overrule an outcome that came with a reply", async () => {
    const { begin, finish, get } = await setup();
    await begin("ref-1", T0 + 10);
    await finish(T0 + 30, ending(1));
    expect(
      await finish(
        T0 + 40,
        ending(1, { state: "rejected", attempt: { ...ending(1).attempt, ended: T0 + 40 }, reason: "late" }),
      ),
    ).toBe("stale");
    expect(await get()).toMatchObject({ state: "succeeded", reason: null });
  });

  it("expires a job at the very instant of its deadline, without an attempt", async () => {
    const { begin, get, ttl } = await setup({ expiresAt: T0 + 1_000 });
    expect(await begin("ref-1", T0 + 1_000)).toEqual({
      kind: "expired",
      operation: "eko.mobile-otp",
      lane: "interactive",
    });
    expect(await get()).toMatchObject({ state: "expired", attempts: [] });
    expect(await ttl()).toBeGreaterThan(0);
  });

  it("gives the same answer when Redis' answer was lost and the step is sent again", async () => {
    const { begin, finish, get } = await setup();
    const first = await begin("ref-1", T0 + 10);
    expect(await begin("ref-1", T0 + 10)).toMatchObject({ kind: "run", n: 1, clientRefId: "ref-1" });
    expect(first).toMatchObject({ kind: "run", n: 1 });
    expect((await get())?.attempts).toHaveLength(1);
    expect(await finish(T0 + 30, ending(1))).toBe("done");
    expect(await finish(T0 + 30, ending(1))).toBe("done");
  });

  it("says of a job without a record that it is missing", async () => {
    const { store } = await setup();
    expect(await store.begin(QUEUE, "nobody", "ref", T0, POLICY)).toEqual({ kind: "missing" });
    expect((await store.finish(QUEUE, "nobody", T0, ending(1), POLICY.holdMs)).answer).toBe("missing");
    expect(await store.abandon(QUEUE, "nobody", "failed", "reason", T0)).toBe("missing");
  });
});

describe("settling", () => {
  it("is published once, with the job's id", async () => {
    const { id, begin, finish } = await setup();
    const subscriber = redis.client();
    await subscriber.subscribe(SETTLED_CHANNEL);
    const first = new Promise<string>((resolve) => subscriber.on("message", (_channel, message) => resolve(message)));
    await begin("ref-1", T0);
    await finish(T0 + 30, ending(1));
    expect(await first).toBe(id);
  });

  it("by abandoning never overrules a state that was reached", async () => {
    const { store, id, begin, finish, get } = await setup();
    await begin("ref-1", T0);
    await finish(T0 + 30, ending(1));
    expect(await store.abandon(QUEUE, id, "failed", "given up", T0)).toBe("settled");
    expect(await get()).toMatchObject({ state: "succeeded" });
  });

  it("by abandoning ends a job that will not be called again, with its reason", async () => {
    const { store, id, get, ttl } = await setup();
    expect(await store.abandon(QUEUE, id, "failed", "given up", T0 + 5)).toBe("done");
    expect(await get()).toMatchObject({ state: "failed", reason: "given up" });
    expect(await ttl()).toBeGreaterThan(0);
  });
});
