import { describe, expect, it } from "vitest";
import { InputCheck } from "../../src/entry/input-check.ts";
import { Intake } from "../../producers/jobs/intake.ts";
import { TicketPacker } from "../../src/records/ticket-packer.ts";
import { TicketSizes } from "../../src/limits/ticket-size.ts";
import { providerOf } from "../../src/queues/names.ts";
import { JobQueues } from "../../src/queues/job-queues.ts";
import { Patience } from "../../producers/base/patience.ts";
import { madeUpMobile } from "../../simulator/people.ts";
import { ErrorCode } from "../../src/base/error.ts";
import { dayScope } from "../../src/privacy/sealing/data-key.ts";
import { createIds } from "../../src/records/ids.ts";
import { type Creation, RecordStore } from "../../src/records/record-store.ts";
import { type ClientBundle, MOBILE_INPUT, startClientBundle } from "../support/client.ts";

const PATIENT_MS = 30_000;
const MANY = 3_000;
const inputs = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ mobile: madeUpMobile(index), csp_id: "agent-1" }));

/** Its first creation is carried out, and its answer lost on the way. */
class DeafRecords extends RecordStore {
  #calls = 0;

  override async create(...args: Parameters<RecordStore["create"]>): Promise<Creation[]> {
    const answer = await super.create(...args);
    if (args[1].length > 0 && this.#calls++ === 0) throw new Error("Connection is closed.");
    return answer;
  }
}

function deafIntake({ redis, settings, dataKeys }: ClientBundle): Intake {
  const connection = redis.client();
  const records = new DeafRecords(connection, settings.retention);
  const queues = new JobQueues(connection, Date.now);
  const ids = createIds();
  const sizes = new TicketSizes(connection, (queue) => settings.quotas[providerOf(queue)], Date.now);
  return new Intake({
    packer: new TicketPacker({ queues, sizes, unique: () => ids.job(Date.now()) }),
    ...{ records, redis: connection, dataKeys, settings, ids },
    ...{ actor: "library:test", now: Date.now, traces: { hand: async () => await Promise.resolve() } },
  });
}

describe("a submission with patience", () => {
  it.each([["its caller's ids", "row"] as const, ["new ids", undefined] as const])(
    "is complete, each row once, though Redis was killed in the middle, with %s",
    async (_whose, id) => {
      await using bundle = await startClientBundle();
      const works: Promise<void>[] = [];
      const told: string[] = [];
      const records = await bundle.client.submitMany("eko.mobile-otp", inputs(MANY), {
        ...(id === undefined ? {} : { id }),
        retryForMs: PATIENT_MS,
        onAccepted: () => {
          if (works.length === 0) works.push(bundle.redis.kill9());
        },
        onRetry: (why) => {
          told.push(why);
          works.push(Promise.all(works).then(async () => await bundle.redis.restart()));
        },
      });
      await Promise.all(works);
      expect(told.length).toBeGreaterThanOrEqual(1);
      expect(told[0]).toMatch(/connection|cannot be reached/);
      expect(records.map(({ duplicate, reused }) => duplicate ?? reused).filter((mark) => mark === true)).toEqual([]);
      const ids = records.map((record) => record.id);
      expect(new Set(ids).size).toBe(MANY);
      if (id !== undefined) expect(ids).toEqual(inputs(MANY).map((_, index) => `${id}-${index + 1}`));
      expect((await bundle.queued("eko")).toSorted()).toEqual(ids.toSorted());
    },
  );

  it.each([
    ["NOREPLICAS", "min-replicas-to-write", "1", "0"],
    ["OOM", "maxmemory", "1", "0"],
  ])("waits out %s, and tells once why and until when", async (word, setting, bad, good) => {
    await using bundle = await startClientBundle();
    const admin = bundle.redis.client();
    await admin.config("SET", setting, bad);
    const told: { why: string; until: Date }[] = [];
    const submitting = bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, {
      id: "order-1",
      retryForMs: PATIENT_MS,
      onRetry: (why, until) => told.push({ why, until }),
    });
    await expect.poll(() => told.length).toBe(1);
    // Long enough for several tries.
    const refused = new RegExp(`^errorstat_${word}:count=(\\d+)`, "m");
    await expect
      .poll(async () => Number(refused.exec(await admin.info("errorstats"))?.[1] ?? 0))
      .toBeGreaterThanOrEqual(3);
    await admin.config("SET", setting, good);
    const record = await submitting;
    expect(record).toMatchObject({ id: "order-1", state: "queued" });
    expect(record).not.toHaveProperty("duplicate");
    expect(told.map(({ why }) => why)).toEqual([expect.stringContaining(`Redis refused a command (${word}): `)]);
    expect(told[0]?.until.getTime()).toBeGreaterThan(Date.now());
    expect(await bundle.queued("eko")).toEqual(["order-1"]);
  });

  it("marks what an earlier try of its own created as no duplicate, and another's as one, and queues each once", async () => {
    await using bundle = await startClientBundle();
    await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "there" });
    const check = new InputCheck({
      fieldsOfMany: async () => await Promise.resolve([]),
      opener: async (texts) => await bundle.dataKeys.opener(texts),
      settings: bundle.settings,
      now: Date.now,
    });
    const other = { mobile: madeUpMobile(1), csp_id: "a1" };
    const checked = await Promise.all(
      [MOBILE_INPUT, other, other].map(async (input) => await check.check("eko.mobile-otp", input, null)),
    );
    const records = await deafIntake(bundle).accept(checked, {
      ids: ["there", "mine", null],
      lane: "interactive",
      expiresInMs: null,
      scope: dayScope(Date.now()),
      trace: null,
      ifPending: "wait",
      patience: new Patience({ retryForMs: PATIENT_MS }, Date.now),
    });
    expect(records.map(({ id, duplicate }) => [id, duplicate])).toEqual([
      ["there", true],
      ["mine", undefined],
      [records[2]?.id, undefined],
    ]);
    expect((await bundle.queued("eko")).toSorted()).toEqual(records.map(({ id }) => id).toSorted());
  });

  it("reuses no send that it created itself", async () => {
    await using bundle = await startClientBundle();
    const check = new InputCheck({
      fieldsOfMany: async () => await Promise.resolve([]),
      opener: async (texts) => await bundle.dataKeys.opener(texts),
      settings: bundle.settings,
      now: Date.now,
    });
    const checked = [await check.check("eko.mobile-otp", MOBILE_INPUT, null)];
    const [record] = await deafIntake(bundle).accept(checked, {
      ids: [null],
      lane: "interactive",
      expiresInMs: null,
      scope: dayScope(Date.now()),
      trace: null,
      ifPending: "reuse",
      patience: new Patience({ retryForMs: PATIENT_MS }, Date.now),
    });
    expect(record).not.toHaveProperty("reused");
    expect(record).not.toHaveProperty("duplicate");
    expect(await bundle.queued("eko")).toEqual([record?.id]);
  });

  it("ends when its time is up, with what Redis said last", async () => {
    await using bundle = await startClientBundle();
    await bundle.redis.kill9();
    const started = performance.now();
    const submitting = bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { retryForMs: 400 });
    await expect(submitting).rejects.toMatchObject({ code: ErrorCode.REDIS_UNREACHABLE });
    expect(performance.now() - started).toBeGreaterThanOrEqual(399);
  });

  it("ends at once when its caller stops it, and says that nothing was accepted", async () => {
    await using bundle = await startClientBundle();
    await bundle.redis.kill9();
    const stop = new AbortController();
    const submitting = bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, {
      retryForMs: PATIENT_MS,
      signal: stop.signal,
      onRetry: () => stop.abort(),
    });
    await expect(submitting).rejects.toMatchObject({
      code: ErrorCode.INTERRUPTED,
      message: "the submission was stopped; nothing was accepted",
    });
  });

  it("says of many how many were accepted before it was stopped", async () => {
    await using bundle = await startClientBundle();
    const stop = new AbortController();
    const submitting = bundle.client.submitMany("eko.mobile-otp", inputs(1_200), {
      signal: stop.signal,
      onAccepted: () => stop.abort(),
    });
    await expect(submitting).rejects.toMatchObject({
      code: ErrorCode.INTERRUPTED,
      message: "at least 500 of 1200 jobs were accepted, then: the submission was stopped",
    });
  });

  it("is refused for a patience that is no time", async () => {
    await using bundle = await startClientBundle();
    for (const retryForMs of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      const submitting = bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { retryForMs });
      await expect(submitting).rejects.toMatchObject({ code: ErrorCode.BAD_INPUT });
    }
  });
});
