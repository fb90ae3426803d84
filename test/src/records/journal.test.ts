import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { NO_REPLY } from "../../../src/outcomes/outcome.ts";
import { dueKey, queuePrefix } from "../../../src/queues/names.ts";
import type { AttemptStart } from "../../../src/records/attempt-start.ts";
import type { AttemptEnd } from "../../../src/records/attempt-end.ts";
import type { RecordedOutcome } from "../../../src/records/record.ts";
import type { NewJob } from "../../../src/records/stored-job.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";
import { ending, QUEUE, RETENTION, settled, setup, SUCCEEDED, T0, waiting } from "./journal-bundle.ts";

const PENDING: RecordedOutcome = { kind: "pending", ...NO_REPLY, http_status: 409, sub_code: "VERIFICATION_PENDING" };
const UNKNOWN: RecordedOutcome = { kind: "unknown", ...NO_REPLY };
const PERMITS = `${queuePrefix(QUEUE)}permits`;
const SENT = { otp_sent: true, otp_valid_until: new Date(T0 + 600_000).toISOString() };

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => await redis.stop());

/** Its worker is taken for dead: nobody knows how the call went. */
function lost(beginning: AttemptStart, given: Partial<AttemptEnd> = {}): AttemptEnd {
  const plain = ending(beginning);
  const attempt = { ...plain.attempt, ended: T0 + 60_000, outcome: UNKNOWN };
  return { ...plain, state: "unknown", reason: "lost", result: null, attempt, lost: true, ...given };
}

describe("the journal", () => {
  it("writes an attempt down, with its client_ref_id, before it has an outcome", async () => {
    const { id, begin, get } = await setup(redis);
    expect(await begin(T0 + 10)).toMatchObject({ kind: "run", clientRefId: `${id}01`, dueAt: T0, isProbe: false });
    const record = await get();
    expect(record).toMatchObject({ state: "active", outcome: null });
    expect(record?.attempts).toEqual([
      { n: 1, client_ref_id: `${id}01`, started_at: new Date(T0 + 10).toISOString(), ended_at: null, outcome: null },
    ]);
  });

  it("tells the worker everything that the job was created with", async () => {
    const job: Partial<NewJob> = {
      ...{ operation: "eko.mobile-otp", lane: "bulk", input: '{"plain":{},"sealed":{}}', subject: "tells" },
      ...{ reference: "derived", of: "sent", holdNames: ["user_code:X"], createdAt: T0, expiresAt: T0 + 5_000 },
    };
    const { begin } = await setup(redis, job);
    const beginning = await begin(T0 + 10);
    expect(beginning.kind === "run" && beginning.job).toEqual({ ...job, used: 0, pendings: 0, resends: 0 });
  });

  it("closes it with its outcome, and keeps the settled record for its retention only", async () => {
    const { begin, finish, get, ttl } = await setup(redis);
    const beginning = await begin(T0 + 10);
    expect(await ttl()).toBe(-1);
    expect(await finish(T0 + 30, ending(beginning))).toBe("done");
    expect(await get()).toMatchObject({
      state: "succeeded",
      outcome: SUCCEEDED,
      attempts: [{ n: 1, outcome: SUCCEEDED, ended_at: new Date(T0 + 30).toISOString() }],
      result: { tid: "42" },
      reason: null,
      next_attempt_at: null,
    });
    expect(await ttl()).toBeGreaterThan(RETENTION.recordMs - 5_000);
    expect(await begin(T0 + 50)).toEqual({ kind: "settled", state: "succeeded" });
  });

  it("uses the job's own client_ref_id for every attempt where it has one", async () => {
    const { begin, get } = await setup(redis, { reference: { fixed: "of-the-send" } });
    expect(await begin(T0)).toMatchObject({ kind: "run", clientRefId: "of-the-send" });
    expect((await get())?.attempts[0]?.client_ref_id).toBe("of-the-send");
  });

  it("does not let a waiting job be tried before its time", async () => {
    const { begin, finish, get } = await setup(redis);
    const first = ending(await begin(T0 + 10), waiting(T0 + 5_000, "pending", "pending"));
    await finish(T0 + 30, { ...first, pendings: 1, used: 0, attempt: { ...first.attempt, outcome: PENDING } });
    expect(await get()).toMatchObject({
      state: "waiting",
      reason: "pending",
      next_attempt_at: new Date(T0 + 5_000).toISOString(),
    });
    expect(await begin(T0 + 4_999)).toEqual({ kind: "early", until: T0 + 5_000 });
    expect(await begin(T0 + 5_000)).toMatchObject({
      kind: "run",
      attemptToken: expect.stringMatching(/^2 /) as string,
      dueAt: T0 + 5_000,
      job: { pendings: 1, used: 0, resends: 0 },
    });
    expect(await get()).toMatchObject({ state: "active", reason: null, next_attempt_at: null });
  });

  it("shows a job that is taken up again its open attempt, and does not open another", async () => {
    const { id, begin, get } = await setup(redis);
    const first = await begin(T0 + 10);
    expect(await begin(T0 + 60_000)).toMatchObject({
      kind: "open",
      attemptToken: first.kind === "run" ? first.attemptToken : "",
      attempt: { client_ref_id: `${id}01`, started: T0 + 10 },
    });
    expect((await get())?.attempts).toHaveLength(1);
  });

  it("expires a job at the very instant of its deadline, without an attempt", async () => {
    const { begin, get, ttl } = await setup(redis, { expiresAt: T0 + 1_000 });
    expect(await begin(T0 + 1_000)).toMatchObject({
      kind: "expired",
      job: { operation: "eko.mobile-otp", lane: "interactive" },
    });
    expect(await get()).toMatchObject({ state: "expired", attempts: [] });
    expect(await ttl()).toBeGreaterThan(0);
  });

  it("ends one at its deadline as unknown, whoever finds it, of which an earlier send may have happened: its late truth is taken", async () => {
    for (const isReaped of [false, true]) {
      const { id, store, begin, finish, get } = await setup(redis, { expiresAt: T0 + 70_000 });
      const beginning = await begin(T0 + 10);
      const again = { ...waiting(T0 + 70_000, "unknown", "sent once more after the cooldown"), resends: 1 };
      await finish(T0 + 60_000, lost(beginning, again));
      if (isReaped) {
        expect((await store.reap(QUEUE, T0 + 70_000)).expired).toMatchObject([{ id, state: "unknown" }]);
      } else expect(await begin(T0 + 70_000)).toMatchObject({ kind: "expired", state: "unknown" });
      expect(await get()).toMatchObject({
        state: "unknown",
        reason: "an earlier send may have happened; its deadline came before the one after it",
      });
      expect(await finish(T0 + 70_500, ending(beginning))).toBe("done");
      expect(await get()).toMatchObject({ state: "succeeded", reason: null });
    }
  });

  it("expires a job by Redis' clock, too: its worker's machine may have slept", async () => {
    const { client, begin } = await setup(redis, { expiresAt: 1_000 });
    await client.del(dueKey(QUEUE));
    expect(await begin(999)).toMatchObject({ kind: "expired", state: "expired" });
  });

  it("says of a job without a record that it is missing", async () => {
    const { journal, begin } = await setup(redis);
    expect(await journal.begin("nobody", "ref", T0)).toEqual({ kind: "missing" });
    expect((await journal.finish("nobody", T0, ending(await begin(T0)))).answer).toBe("missing");
  });
});

describe("a step that is sent again because its answer was cut off", () => {
  it("gets the same answer: of two equal beginnings one attempt and one permit come", async () => {
    const { client, begin, get } = await setup(redis);
    const before = await client.llen(PERMITS);
    const first = await begin(T0 + 10);
    const again = await begin(T0 + 10);
    expect(first.kind).toBe("run");
    const { permit: old, ...same } = first as Extract<AttemptStart, { kind: "run" }>;
    expect(again).toMatchObject(same);
    expect(old.id).not.toBe("");
    // Nobody knows how old its permit is: it is good for the shortest time.
    expect(again).toMatchObject({ permit: { scarce: true } });
    expect((await get())?.attempts).toHaveLength(1);
    expect(await client.llen(PERMITS)).toBe(before + 1);
  });

  it("opens nothing for another process that begins at the same instant: to that it is open", async () => {
    const { id, begin, newJournal, get } = await setup(redis);
    const first = await begin(T0 + 10);
    const other = await newJournal().begin(id, "fresh-1", T0 + 10);
    expect(other).toMatchObject({ kind: "open", attemptToken: first.kind === "run" ? first.attemptToken : "" });
    expect((await get())?.attempts).toHaveLength(1);
  });

  it("ends an attempt once, also where it goes on waiting, and counts its failure once", async () => {
    const { client, journal, id, begin, finish, get } = await setup(redis);
    const wait = ending(await begin(T0 + 10), {
      ...waiting(T0 + 5_000, "backoff", "backing off"),
      health: { kind: "failed" },
    });
    const answers = [await journal.finish(id, T0 + 30, wait), await journal.finish(id, T0 + 30, wait)];
    expect(answers).toEqual([
      { answer: "done", nextAt: T0 + 5_000, corrected: false },
      { answer: "done", nextAt: T0 + 5_000, corrected: false },
    ]);
    expect(await client.hget(`${queuePrefix(QUEUE)}control`, "bad")).toBe("1");
    await client.hdel(`${queuePrefix(QUEUE)}control`, "bad", "good", "window_at", "bad_id");
    const second = ending(await begin(T0 + 5_000), { used: 2 });
    expect([await finish(T0 + 5_030, second), await finish(T0 + 5_030, second)]).toEqual(["done", "done"]);
    expect(await get()).toMatchObject({ state: "succeeded", attempts: [{ n: 1 }, { n: 2 }] });
  });
});

describe("a worker that was taken for dead and is alive", () => {
  it("finds, when it asks again, that its own attempt was given up, and that it may close it as it knows", async () => {
    const { client, key, begin, finish, get, ttl } = await setup(redis);
    const beginning = await begin(T0 + 10);
    const open = beginning.kind === "run" ? beginning.attemptToken : "";
    await finish(T0 + 60_000, lost(beginning));
    expect(await begin(T0 + 10)).toMatchObject({ kind: "open", attemptToken: open });
    expect(await begin(T0 + 11)).toEqual({ kind: "settled", state: "unknown" });
    await finish(T0 + 60_500, ending(beginning, waiting(T0 + 60_500, "backoff", "not made")));
    expect(await get()).toMatchObject({ state: "waiting", reason: "not made" });
    // It was settled for a moment: what waits is kept.
    expect(await ttl()).toBe(-1);
    expect(await client.hget(key, "lost")).toBeNull();
    expect(await begin(T0 + 60_500)).toMatchObject({
      kind: "run",
      attemptToken: expect.stringMatching(/^2 /) as string,
    });
  });

  // Where Redis keeps a record in one piece, the reaper packs it to what the worker would have written at once; otherwise by chance.
  it.each([
    ["in one piece", "512"],
    ["in many pieces", "1"],
  ])(
    "is told that the truth came late, so that one call is counted once, also where that is sent again, of a record %s",
    async (_, longest) => {
      const { id, client, journal, store, begin, finish } = await setup(redis);
      const before = await client.config("GET", "hash-max-listpack-value");
      onTestFinished(async () => void (await client.config("SET", ...(before as [string, string]))));
      await client.config("SET", "hash-max-listpack-value", longest);
      const beginning = await begin(T0 + 10);
      await finish(T0 + 60_000, lost(beginning));
      const truth = async () =>
        await journal.finish(
          id,
          T0 + 60_500,
          ending(beginning, { retention: { lookAt: T0 + 70_000, keepsInput: false } }),
        );
      expect(await truth()).toMatchObject({ answer: "done", corrected: true });
      expect(await truth()).toMatchObject({ answer: "done", corrected: true });
      await store.reap(QUEUE, T0 + 70_001);
      expect(await truth()).toMatchObject({ answer: "done", corrected: true });
    },
  );

  it("gets no permit any more for an attempt that is not its own: what was given up may be sent by another", async () => {
    const { id, journal, begin, finish } = await setup(redis);
    const beginning = await begin(T0 + 10);
    const open = beginning.kind === "run" ? beginning.attemptToken : "";
    expect(await journal.permit(null, id, open, null)).toHaveProperty("id");
    await finish(T0 + 60_000, lost(beginning));
    expect(await journal.permit(null, id, open, null)).toBeNull();
  });

  it("brings the true outcome of an attempt that was given up", async () => {
    const { begin, finish, get } = await setup(redis);
    const beginning = await begin(T0 + 10);
    expect(await finish(T0 + 60_000, lost(beginning))).toBe("done");
    expect(await get()).toMatchObject({ state: "unknown", reason: "lost" });
    expect(await finish(T0 + 60_500, ending(beginning))).toBe("done");
    expect(await get()).toMatchObject({ state: "succeeded", reason: null, outcome: SUCCEEDED });
  });

  it("brings it also where the job waits already to be sent again, which it then is not", async () => {
    const { client, key, begin, finish, get, ttl } = await setup(redis);
    const beginning = await begin(T0 + 10);
    const again = { ...waiting(T0 + 120_000, "unknown", "sent once more after the cooldown"), resends: 1 };
    expect(await finish(T0 + 60_000, lost(beginning, again))).toBe("done");
    expect(await get()).toMatchObject({ state: "waiting", reason: "sent once more after the cooldown" });
    expect(await finish(T0 + 60_500, ending(beginning))).toBe("done");
    expect(await get()).toMatchObject({
      ...{ state: "succeeded", reason: null, next_attempt_at: null, outcome: SUCCEEDED, result: { tid: "42" } },
      attempts: [{ n: 1, outcome: SUCCEEDED }],
    });
    expect(await client.hmget(key, "next", "cause", "since", "lost")).toEqual([null, null, null, null]);
    expect(await ttl()).toBeGreaterThan(0);
    expect(await begin(T0 + 120_000)).toEqual({ kind: "settled", state: "succeeded" });
  });

  it("takes back what the given-up attempt was counted for, where the truth is that the job waits", async () => {
    const { begin, finish } = await setup(redis);
    const beginning = await begin(T0 + 10);
    await finish(T0 + 60_000, lost(beginning, { ...waiting(T0 + 120_000, "unknown", "again"), resends: 1 }));
    const throttled = { ...waiting(T0 + 70_000, "throttled", "429"), used: 0 };
    expect(await finish(T0 + 60_500, ending(beginning, throttled))).toBe("done");
    expect(await begin(T0 + 70_000)).toMatchObject({ kind: "run", job: { used: 0, pendings: 0, resends: 0 } });
  });

  it("is too late once the job was taken up again", async () => {
    const { begin, finish, get } = await setup(redis);
    const beginning = await begin(T0 + 10);
    await finish(T0 + 60_000, lost(beginning, { ...waiting(T0 + 120_000, "unknown", "again"), resends: 1 }));
    const second = await begin(T0 + 120_000);
    expect(second).toMatchObject({ kind: "run", job: { used: 1, resends: 1 } });
    expect(await finish(T0 + 120_010, ending(beginning))).toBe("stale");
    expect(await get()).toMatchObject({ state: "active", attempts: [{ outcome: UNKNOWN }, { outcome: null }] });
    expect(await finish(T0 + 120_030, ending(second, { used: 2 }))).toBe("done");
  });

  it("does not overrule an outcome that came with a reply", async () => {
    const { begin, finish, get } = await setup(redis);
    const first = ending(await begin(T0 + 10));
    await finish(T0 + 30, first);
    const late: AttemptEnd = {
      ...first,
      state: "rejected",
      reason: "late",
      attempt: { ...first.attempt, ended: T0 + 40 },
    };
    expect(await finish(T0 + 40, late)).toBe("stale");
    expect(await get()).toMatchObject({ state: "succeeded", reason: null });
  });

  it("does not overrule what a person decided meanwhile", async () => {
    const { store, id, begin, finish, get } = await setup(redis);
    const beginning = await begin(T0 + 10);
    await finish(T0 + 60_000, lost(beginning));
    const kept = { lookAt: null, keepsInput: false } as const;
    const line = JSON.stringify({ decision: "rejected", reason: null, at: T0 + 60_100 });
    expect(await store.settle(QUEUE, id, "rejected", line, T0 + 60_100, kept, settled(id))).toBe("done");
    expect(await finish(T0 + 60_500, ending(beginning))).toBe("stale");
    expect((await get())?.state).toBe("rejected");
  });
});

describe("the answer to an OTP", () => {
  /** A send that succeeded, and its verify with an open attempt. */
  async function sentAndVerified(verified: (sent: string) => Partial<AttemptEnd>) {
    const send = await setup(redis);
    const keeps = { retention: { lookAt: T0 + 600_000, keepsInput: true } };
    await send.finish(T0 + 30, ending(await send.begin(T0), { result: SENT, ...keeps }));
    const verify = await setup(redis, { operation: "eko.mobile-otp.verify", of: send.id });
    await verify.finish(T0 + 60, ending(await verify.begin(T0 + 50), verified(send.id)));
    return { verify, ofSend: await send.client.hmget(send.key, "answered", "input", "state"), exists: send.key };
  }

  it("marks its send, whose input nobody needs any more", async () => {
    const { verify, ofSend } = await sentAndVerified((sent) => ({ answers: sent }));
    expect(ofSend).toEqual([verify.id, null, "succeeded"]);
  });

  it("leaves the send open where it was wrong", async () => {
    const { ofSend } = await sentAndVerified((sent) => ({ answers: sent, state: "rejected" }));
    expect(ofSend).toEqual([null, expect.any(String), "succeeded"]);
  });

  it("makes no record of a send whose own is gone", async () => {
    const { client, finish, begin } = await setup(redis, { of: "gone" });
    expect(await finish(T0 + 30, ending(await begin(T0), { answers: "gone" }))).toBe("done");
    expect(await client.exists(`satyapan:${QUEUE}:job:gone`)).toBe(0);
  });
});
