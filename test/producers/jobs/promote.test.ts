import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../../simulator/people.ts";
import { ErrorCode } from "../../../src/base/error.ts";
import { JobQueues } from "../../../src/queues/job-queues.ts";
import { bullmqJobId, recordKey } from "../../../src/queues/names.ts";
import { WAIT_CAUSES } from "../../../src/outcomes/wait-cause.ts";
import { RecordStore } from "../../../src/records/record-store.ts";
import { packJob, unpackJob } from "../../../src/records/stored-job.ts";
import { MOBILE_INPUT, startClientBundle } from "../../support/client.ts";
import type { TestRedis } from "../../support/redis.ts";
import { startWorkerBundle, type WorkerBundle } from "../../support/worker.ts";

const QUEUE = "{eko-0}";
const BASE = `bull:${QUEUE}:`;
/** An hour, of which chance takes a part: no test sees its end. */
const LONG = { BACKOFF_BASE: "1h", BACKOFF_CAP: "1h" };
const FAILS_ONCE = { fault: "temporary-failure", per: "person", times: 1 } as const;

const input = (index: number, ending?: string) => ({ mobile: madeUpMobile(index, ending), csp_id: "agent-1" });

/** A worker, and a provider whose first call for each person fails. */
async function startFailing(): Promise<WorkerBundle> {
  const bundle = await startWorkerBundle({ simulator: { faults: [FAILS_ONCE] }, env: LONG });
  await bundle.startWorker();
  return bundle;
}

async function backsOff({ client, redis }: WorkerBundle, id: string): Promise<void> {
  await expect.poll(async () => (await client.get(id))?.reason).toMatch(/^backing off/);
  await expect.poll(async () => await redis.client().zscore(`${BASE}delayed`, bullmqJobId(id))).not.toBeNull();
}

/** Of the audit log, once all that lay in the outbox is in it. */
async function promotions({ redis }: WorkerBundle): Promise<string[]> {
  await expect.poll(async () => await promotionsIn(redis, `satyapan:${QUEUE}:audit`)).toEqual([]);
  return await promotionsIn(redis, "satyapan:{audit}:log");
}

async function promotionsIn(redis: TestRedis, stream: string): Promise<string[]> {
  const entries = await redis.client().xrange(stream, "-", "+");
  return entries.flat(2).filter((text) => text.includes('"kind":"promote"'));
}

describe("a job that backs off", () => {
  it("is tried at once when somebody wants it, and who did and why is written down", async () => {
    await using bundle = await startFailing();
    const { id } = await bundle.client.submit("eko.mobile-otp", input(1));
    await backsOff(bundle, id);
    const reason = "the provider is well again, ticket 17";
    const promoted = await bundle.client.promote(id, { reason });
    expect(promoted.decisions).toMatchObject([{ decision: "promote", reason }]);
    const record = await bundle.client.waitFor(id);
    expect(record).toMatchObject({ state: "succeeded", attempts: [{ n: 1 }, { n: 2 }] });
    const [entry, ...others] = await promotions(bundle);
    expect(entry).toContain(`"actor":"library:test","job":"${id}","operation":"eko.mobile-otp"`);
    expect(entry).toContain(`"reason":"${reason}"`);
    expect(others).toEqual([]);
  });

  it("leaves its mates of a ticket where they wait, and goes into its own lane", async () => {
    await using bundle = await startFailing();
    const [one, other] = await bundle.client.submitMany("eko.mobile-otp", [input(1), input(2)], { lane: "bulk" });
    const ids = [one?.id ?? "", other?.id ?? ""] as const;
    for (const id of ids) await backsOff(bundle, id);
    await bundle.client.promote(ids[0]);
    expect(await bundle.client.waitFor(ids[0])).toMatchObject({ state: "succeeded", lane: "bulk" });
    expect(await bundle.client.get(ids[1])).toMatchObject({ state: "waiting" });
    expect(bundle.simulator.requests).toHaveLength(3);
  });

  it("is called once though two want it at the same instant", async () => {
    await using bundle = await startFailing();
    const { id } = await bundle.client.submit("eko.mobile-otp", input(1));
    await backsOff(bundle, id);
    const answers = await Promise.allSettled([bundle.client.promote(id), bundle.client.promote(id)]);
    expect(answers.some(({ status }) => status === "fulfilled")).toBe(true);
    expect(await bundle.client.waitFor(id)).toMatchObject({ state: "succeeded", decisions: [{ decision: "promote" }] });
    expect(bundle.simulator.requests).toHaveLength(2);
    expect(await promotions(bundle)).toHaveLength(1);
  });

  it("is tried when it would have been where whoever wanted it died on the way, or now where it is wanted again", async () => {
    await using bundle = await startFailing();
    const { id } = await bundle.client.submit("eko.mobile-otp", input(1));
    await backsOff(bundle, id);
    const redis = bundle.redis.client();
    const records = new RecordStore(redis, bundle.settings.retention);
    const at = Date.now();
    const entry = { at: new Date(at).toISOString(), kind: "promote", actor: "library:test", job: id } as const;
    const about = { operation: "eko.mobile-otp", subject: null, reason: null };
    const decision = JSON.stringify({ decision: "promote", reason: null, at });
    expect(await records.promote(QUEUE, id, decision, at, { ...entry, ...about })).toBe("done");
    expect(Number(await redis.zscore(`${BASE}delayed`, bullmqJobId(id)))).toBeGreaterThan(at * 4_096);
    await bundle.client.promote(id);
    expect(await bundle.client.waitFor(id)).toMatchObject({ state: "succeeded", decisions: [{ decision: "promote" }] });
    expect(await promotions(bundle)).toHaveLength(1);
  });

  it("is found in a ticket whose worker died before it gave it an entry of its own, and its mates are called once, too", async () => {
    await using bundle = await startWorkerBundle({ env: LONG });
    const inputs = Array.from({ length: 5 }, (_, index) => input(index));
    const records = await bundle.client.submitMany("eko.mobile-otp", inputs, { lane: "bulk" });
    const id = records[2]?.id ?? "";
    const redis = bundle.redis.client();
    expect(await redis.exists(`${BASE}${bullmqJobId(id)}`)).toBe(0);
    const next = String(Date.now() + 3_600_000);
    await redis.hset(recordKey(QUEUE, id), { state: "waiting", cause: "backoff", next, since: next });
    await bundle.client.promote(id);
    expect(await redis.exists(`${BASE}${bullmqJobId(id)}`)).toBe(1);
    await bundle.startWorker();
    for (const record of records) expect((await bundle.client.waitFor(record.id)).state).toBe("succeeded");
    expect(bundle.simulator.requests).toHaveLength(5);
  });

  it("stays where it is while the provider is held", async () => {
    const refused = { fault: "bad-credentials", match: "321" } as const;
    await using bundle = await startWorkerBundle({ simulator: { faults: [refused, FAILS_ONCE] }, env: LONG });
    await bundle.startWorker();
    const { id } = await bundle.client.submit("eko.mobile-otp", input(1));
    await backsOff(bundle, id);
    await bundle.client.submit("eko.mobile-otp", input(2, "321"), { id: "refused" });
    await expect.poll(async () => (await bundle.client.get("refused"))?.reason).toMatch(/^held/);
    await expect(bundle.client.promote(id)).rejects.toMatchObject({
      code: ErrorCode.BAD_INPUT,
      message: expect.stringMatching(/would not be called now: held: .*satyapan provider resume eko/) as string,
    });
    expect((await bundle.client.get(id))?.decisions).toBeUndefined();
  });
});

describe("a job that does not back off", () => {
  it.each(WAIT_CAUSES.filter((cause) => cause !== "backoff"))("stays where it is: it waits for %s", async (cause) => {
    await using bundle = await startClientBundle();
    await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "job-1" });
    const next = String(Date.now() + 60_000);
    await bundle.redis.client().hset(recordKey(QUEUE, "job-1"), { state: "waiting", cause, next });
    const before = await bundle.client.get("job-1");
    await expect(bundle.client.promote("job-1")).rejects.toMatchObject({
      code: ErrorCode.BAD_INPUT,
      message: expect.stringMatching(/is waiting.*, not backing off: .*`satyapan explain job-1`/) as string,
    });
    // Nor does the record's own step let it pass, where it waits so only since a moment ago.
    const records = new RecordStore(bundle.redis.client(), bundle.settings.retention);
    const entry = { at: new Date().toISOString(), kind: "promote", actor: "library:test", job: "job-1" } as const;
    const about = { operation: "eko.mobile-otp", subject: null, reason: null };
    expect(await records.promote(QUEUE, "job-1", "{}", Date.now(), { ...entry, ...about })).toBe("other");
    expect(await bundle.client.get("job-1")).toEqual(before);
    expect(await promotionsIn(bundle.redis, `satyapan:${QUEUE}:audit`)).toEqual([]);
  });

  it("is told what would bring it on instead", async () => {
    await using bundle = await startClientBundle();
    const message = async (id: string): Promise<string> =>
      String(await bundle.client.promote(id).catch((error: unknown) => error));
    await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "job-1" });
    expect(await message("job-1")).toContain("job job-1 is queued, not backing off: ");
    await bundle.begin("job-1", "eko");
    expect(await message("job-1")).toContain("its call is under way");
    await bundle.finish("job-1", "eko", "failed");
    expect(await message("job-1")).toContain("`satyapan failed retry job-1` gives it its attempts back");
    await bundle.redis.client().hset(recordKey(QUEUE, "job-1"), "state", "unknown");
    expect(await message("job-1")).toContain("`satyapan settle job-1 succeeded|rejected|resend --reason TEXT` decides");
    await bundle.redis.client().hset(recordKey(QUEUE, "job-1"), "state", "rejected");
    expect(await message("job-1")).toContain("it is over");
    await expect(bundle.client.promote("none-1")).rejects.toMatchObject({ code: ErrorCode.UNKNOWN_JOB });
  });

  it("is not tried past its deadline", async () => {
    await using bundle = await startClientBundle();
    await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "job-1" });
    const redis = bundle.redis.client();
    const key = recordKey(QUEUE, "job-1");
    const job = packJob({ ...unpackJob((await redis.hget(key, "job")) ?? ""), expiresAt: Date.now() - 1 });
    await redis.hset(key, { state: "waiting", cause: "backoff", next: String(Date.now() + 60_000), job });
    await expect(bundle.client.promote("job-1")).rejects.toMatchObject({ code: ErrorCode.EXPIRED });
  });
});

it("a job that is put away only after it was wanted goes into line all the same", async () => {
  await using bundle = await startClientBundle();
  await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "job-1" });
  const redis = bundle.redis.client();
  const entry = bullmqJobId("job-1");
  // A worker has written how its attempt ended, and has its entry still in hand.
  await redis.lrem(`${BASE}wait`, 0, entry);
  await redis.lpush(`${BASE}active`, entry);
  const next = Date.now() + 60_000;
  await redis.hset(recordKey(QUEUE, "job-1"), { state: "waiting", cause: "backoff", next: String(next) });
  const promoting = bundle.client.promote("job-1");
  await expect.poll(async () => await redis.hget(recordKey(QUEUE, "job-1"), "decisions")).not.toBeNull();
  await redis
    .multi()
    .lrem(`${BASE}active`, 0, entry)
    .zadd(`${BASE}delayed`, next * 4_096, entry)
    .exec();
  await promoting;
  expect(await redis.zscore(`${BASE}delayed`, entry)).toBeNull();
  expect(await bundle.queued("eko")).toEqual(["job-1"]);
  const queues = new JobQueues(redis, Date.now);
  expect(await queues.missing(QUEUE, ["job-1"])).toEqual([]);
  await queues.close();
});
