import { Writable } from "node:stream";
import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { madeUpAadhaar, madeUpMobile } from "../../simulator/people.ts";
import { GateControl } from "../../src/limits/control.ts";
import type { Duty } from "../../src/redis/lease.ts";
import { dueKey, queuePrefix, recordKey } from "../../src/queues/names.ts";
import { RecordStore } from "../../src/records/record-store.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { Reaper, type ReaperDeps } from "../../workers/reaper.ts";
import { CONSENT, MOBILE_INPUT, startClientBundle } from "../support/client.ts";
import { FakeDuty, ON_DUTY } from "../support/duty.ts";
import type { TestRedis } from "../support/redis.ts";
import { startWorkerBundle, type WorkerBundle } from "../support/worker.ts";

const QUEUE = "{eko-0}";
const WHY = { reason: "the provider's support says so, ticket 17" };
/** A round is a second; a slow machine takes longer. */

const mobileInput = (index: number, ending = "000") => ({ mobile: madeUpMobile(index, ending), csp_id: "agent-1" });

/** Which sealed values a record holds. */
async function sealedIn({ redis }: { readonly redis: TestRedis }, id: string): Promise<string[]> {
  const fields = await redis.client().hkeys(recordKey(QUEUE, id));
  return fields.filter((field) => field === "input" || field === "personal");
}

async function ended(bundle: WorkerBundle, operation: string, input: unknown, options = {}) {
  const { id } = await bundle.client.submitUnchecked(operation, input, options);
  return await bundle.client.waitFor(id);
}

/** A reaper as a worker has it, with its own connection, metrics and log. */
function startReaper(
  redis: TestRedis,
  now: () => number = Date.now,
  duty: Duty = ON_DUTY,
  others: Partial<ReaperDeps> = {},
) {
  const metrics = new Metrics(new Registry());
  const log: string[] = [];
  const sink = new Writable({ write: (chunk, _encoding, done) => (log.push(String(chunk)), done()) });
  const records = new RecordStore(redis.client({ maxRetriesPerRequest: 0 }), { recordMs: 60_000, resultMs: 60_000 });
  const reaper = new Reaper({
    records,
    tickets: { look: async () => await Promise.resolve(false) },
    jobs: { look: async () => {} },
    queues: [QUEUE],
    duty,
    metrics,
    tracing: null,
    logger: createLogger("debug", sink),
    now,
    ...others,
  });
  const expired = async (): Promise<number> => {
    const { values } = (await metrics.registry.getSingleMetric("satyapan_jobs_settled_total")?.get()) ?? { values: [] };
    return values.reduce((sum, { labels, value }) => sum + (labels["state"] === "expired" ? value : 0), 0);
  };
  return { reaper, log, expired };
}

describe("the search for jobs that nothing carries", () => {
  it("goes on in every round, while this worker has the duty", async () => {
    await using bundle = await startClientBundle();
    const duty = new FakeDuty();
    duty.held = false;
    const looked = Promise.withResolvers<string>();
    let looks = 0;
    const look = async (queue: string): Promise<void> => {
      looks += 1;
      if (looks === 3) looked.resolve(queue);
      await Promise.resolve();
    };
    const { reaper } = startReaper(bundle.redis, Date.now, duty, { jobs: { look }, everyMs: 5 });
    expect(looks).toBe(0);
    duty.held = true;
    expect(await looked.promise).toBe(QUEUE);
    await reaper.close();
  });
});

describe("the search for the jobs of lost tickets", () => {
  it("goes on in the next round while it has not ended, and begins anew only after five", async () => {
    await using bundle = await startClientBundle();
    let round = 0;
    const looked: number[] = [];
    const seen = Promise.withResolvers<void>();
    const records = new RecordStore(bundle.redis.client(), { recordMs: 60_000, resultMs: 60_000 });
    const reap = records.reap.bind(records);
    records.reap = async (...args) => {
      round += 1;
      if (round === 16) seen.resolve();
      return await reap(...args);
    };
    const look = async (): Promise<boolean> => {
      looked.push(round);
      // It takes six rounds, beyond one in which it would have begun.
      return await Promise.resolve(round < 10);
    };
    const { reaper } = startReaper(bundle.redis, Date.now, ON_DUTY, { records, tickets: { look }, everyMs: 1 });
    await seen.promise;
    await reaper.close();
    expect(looked).toEqual([5, 6, 7, 8, 9, 10, 15]);
  });
});

describe("the input of a job that ended", () => {
  it("is gone the moment it succeeded or was rejected; its record stays, for its time", async () => {
    await using bundle = await startWorkerBundle();
    await bundle.startWorker();
    const read = await ended(bundle, "eko.dmt-levin.sender", { customer_id: madeUpMobile(1) });
    const refused = await ended(bundle, "eko.mobile-otp", mobileInput(2, "998"));
    for (const [{ id, state }, expected] of [
      [read, "succeeded"],
      [refused, "rejected"],
    ] as const) {
      expect(state).toBe(expected);
      expect(await sealedIn(bundle, id)).not.toContain("input");
      expect(await bundle.redis.client().pttl(recordKey(QUEUE, id))).toBeGreaterThan(0);
    }
  });

  it("stays of a send until its OTP is answered, a wrong answer does not count", async () => {
    await using bundle = await startWorkerBundle();
    await bundle.startWorker();
    const sent = await ended(bundle, "eko.mobile-otp", mobileInput(1));
    expect(await sealedIn(bundle, sent.id)).toContain("input");
    const due = Number(await bundle.redis.client().zscore(dueKey(QUEUE), sent.id));
    expect(due).toBe(Date.parse(String(sent.result?.["otp_valid_until"])));
    const { otp } = await bundle.simulator.waitForOtp(madeUpMobile(1));
    const wrong = await ended(bundle, "eko.mobile-otp.verify", { of: sent.id, otp: otp === "4711" ? "4712" : "4711" });
    expect(wrong).toMatchObject({ state: "rejected" });
    expect(await sealedIn(bundle, wrong.id)).toEqual([]);
    expect(await sealedIn(bundle, sent.id)).toContain("input");
    const right = await ended(bundle, "eko.mobile-otp.verify", { of: sent.id, otp });
    expect(right).toMatchObject({ state: "succeeded" });
    expect(await sealedIn(bundle, right.id)).not.toContain("input");
    expect(await sealedIn(bundle, sent.id)).not.toContain("input");
    const again = bundle.client.submitUnchecked("eko.mobile-otp.verify", { of: sent.id, otp });
    await expect(again).rejects.toThrow("of: its OTP can no longer be answered: its time is over, or it was answered");
  });

  it("goes by itself with the OTP of a send that nobody answers", async () => {
    await using bundle = await startWorkerBundle({ simulator: { otpTtlMs: 1_500 } });
    await bundle.startWorker();
    const sent = await ended(bundle, "eko.mobile-otp", mobileInput(1));
    await expect.poll(async () => await sealedIn(bundle, sent.id)).not.toContain("input");
    expect(await bundle.client.get(sent.id)).toMatchObject({ state: "succeeded", result: { otp_sent: true } });
  });

  it("goes of an unknown verify at its deadline, long before results go", async () => {
    const faults = [{ fault: "drop-after-commit" as const, steps: ["verify" as const] }];
    await using bundle = await startWorkerBundle({ simulator: { faults } });
    await bundle.startWorker();
    const sent = await ended(bundle, "eko.mobile-otp", mobileInput(1));
    const { otp } = await bundle.simulator.waitForOtp(madeUpMobile(1));
    const verify = await ended(bundle, "eko.mobile-otp.verify", { of: sent.id, otp }, { expiresIn: "3s" });
    expect(verify).toMatchObject({ state: "unknown" });
    expect(await bundle.redis.client().zscore(dueKey(QUEUE), verify.id)).toBe(
      String(Date.parse(verify.expires_at ?? "")),
    );
    await expect.poll(async () => await sealedIn(bundle, verify.id)).toEqual([]);
    expect(await bundle.client.get(verify.id)).toMatchObject({ state: "unknown" });
  });
});

describe("a verify behind a closed gate", () => {
  it("expires at its deadline with its OTP, though no worker takes it, and is never called", async () => {
    await using bundle = await startWorkerBundle();
    await bundle.startWorker();
    const sent = await ended(bundle, "eko.mobile-otp", mobileInput(1));
    const { otp } = await bundle.simulator.waitForOtp(madeUpMobile(1));
    bundle.simulator.configure({ faults: [{ fault: "bad-credentials" }] });
    await bundle.client.submit("eko.mobile-otp", mobileInput(2));
    const control = new GateControl(bundle.redis.client());
    await expect.poll(async () => (await control.read(QUEUE)).holds.length).toBe(1);
    const calls = bundle.simulator.requests.length;
    const verify = await ended(bundle, "eko.mobile-otp.verify", { of: sent.id, otp }, { expiresIn: "1500ms" });
    expect(verify).toMatchObject({ state: "expired", reason: "its deadline came first", attempts: [] });
    expect(await sealedIn(bundle, verify.id)).toEqual([]);
    expect(bundle.simulator.requests).toHaveLength(calls);
    expect(await new RecordStore(bundle.redis.client(), bundle.settings.retention).overdue(QUEUE, Date.now())).toEqual({
      ...{ count: 0, oldestMs: 0 },
    });
  });
});

describe("four reapers at once", () => {
  it("end each job once, and count it once", async () => {
    await using bundle = await startClientBundle();
    const inputs = Array.from({ length: 450 }, (_, index) => mobileInput(index));
    const submitted = await bundle.client.submitMany("eko.mobile-otp", inputs, { expiresIn: "1m" });
    const reapers = Array.from({ length: 4 }, () => startReaper(bundle.redis, () => Date.now() + 60_000));
    const records = new RecordStore(bundle.redis.client(), bundle.settings.retention);
    await expect.poll(async () => (await records.overdue(QUEUE, Infinity)).count).toBe(0);
    await Promise.all(reapers.map(async ({ reaper }) => await reaper.close()));
    const counts = await Promise.all(reapers.map(async ({ expired }) => await expired()));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(450);
    const lines = reapers.flatMap(({ log }) => log).filter((line) => line.includes("job expired"));
    expect(new Set(lines.map((line) => (JSON.parse(line) as { job: string }).job)).size).toBe(450);
    expect(lines).toHaveLength(450);
    for (const { id } of submitted) expect(await sealedIn(bundle, id)).toEqual([]);
  });
});

describe("a reaper", () => {
  it("goes on after Redis was away, and says both once", async () => {
    await using bundle = await startClientBundle();
    const { id } = await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { expiresIn: "1m" });
    await bundle.redis.kill9();
    const { reaper, log } = startReaper(bundle.redis, () => Date.now() + 60_000);
    const said = (what: string): number => log.filter((line) => line.includes(what)).length;
    await expect.poll(() => said("reaper's round failed")).toBe(1);
    await bundle.redis.restart();
    await expect.poll(() => said("reaper goes on")).toBe(1);
    await expect.poll(async () => (await bundle.client.get(id).catch(() => null))?.state).toBe("expired");
    await reaper.close();
    expect(said("reaper's round failed")).toBe(1);
  });

  it("asks nothing of Redis while another has the duty", async () => {
    await using bundle = await startClientBundle();
    const { id } = await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { expiresIn: "1m" });
    const duty = new FakeDuty();
    duty.held = false;
    const redis = bundle.redis.client();
    await redis.config("RESETSTAT");
    const { reaper } = startReaper(bundle.redis, () => Date.now() + 60_000, duty);
    // Another's rounds come and go meanwhile.
    const other = startReaper(bundle.redis);
    const rounds = async (): Promise<number> =>
      Number(/cmdstat_zrange:calls=(\d+)/.exec(await redis.info("commandstats"))?.[1] ?? 0);
    await expect.poll(rounds).toBeGreaterThan(2);
    await other.reaper.close();
    expect((await bundle.client.get(id))?.state).toBe("queued");
    duty.held = true;
    await expect.poll(async () => (await bundle.client.get(id))?.state).toBe("expired");
    await reaper.close();
  });

  it("ends at once when it is closed", async () => {
    await using bundle = await startClientBundle();
    const { reaper } = startReaper(bundle.redis);
    await reaper.close();
  });
});

describe("what is overdue", () => {
  it("is a metric: how long, at the longest, though the reaper cannot take it", async () => {
    await using bundle = await startWorkerBundle();
    const client = bundle.redis.client();
    await client.set(recordKey(QUEUE, "broken"), "no hash");
    await client.set(`${queuePrefix(QUEUE)}failed`, "no index");
    await client.zadd(dueKey(QUEUE), Date.now() - 90_000, "broken", Date.now() + 3_600_000, "later");
    const { metricsPort } = await bundle.startWorker();
    const overdue = async (): Promise<Record<string, number>> => {
      const page = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
      const lines = page.matchAll(/^satyapan_retention_overdue_seconds\{queue="([^"]+)"\} (\S+)$/gm);
      return Object.fromEntries(Array.from(lines, ([, queue = "", value]) => [queue, Number(value)]));
    };
    const first = await overdue();
    expect(first[QUEUE]).toBeGreaterThanOrEqual(90);
    expect(first[QUEUE]).toBeLessThan(150);
    expect(first["{deepvue-0}"]).toBe(0);
    await client.del(`${queuePrefix(QUEUE)}failed`);
    await expect.poll(async () => (await overdue())[QUEUE]).toBe(0);
  });
});

describe("a job whose input was destroyed", () => {
  it("is not tried again, and whoever asks for it is told why", async () => {
    await using bundle = await startClientBundle();
    for (const [index, state] of (["failed", "unknown"] as const).entries()) {
      await bundle.client.submit("eko.mobile-otp", mobileInput(index), { id: state });
      await bundle.redis.client().del(`satyapan:${QUEUE}:control`);
      await bundle.begin(state, "eko", `ref-${state}`);
      await bundle.finish(state, "eko", state);
    }
    const { resultMs } = bundle.settings.retention;
    expect(await bundle.records.reap(QUEUE, Date.now() + resultMs)).toEqual({
      expired: [],
      parked: [],
      unanswered: [],
      spent: [],
      more: false,
    });
    const why = (id: string): string =>
      `job ${id} cannot be tried again: its input is no longer kept, or cannot be read (RESULT_RETENTION; an OTP goes with its deadline); submit a new job`;
    await expect(bundle.client.failed.retry({ ids: ["failed"] })).rejects.toThrow(why("failed"));
    await expect(bundle.client.settle("unknown", "resend", WHY)).rejects.toThrow(why("unknown"));
    expect(await bundle.client.settle("unknown", "rejected", WHY)).toMatchObject({ state: "rejected" });
    expect(await bundle.client.get("failed")).toMatchObject({ state: "failed" });
  });
});

describe("a sealed result", () => {
  it("goes after RESULT_RETENTION, and its record stays", async () => {
    await using bundle = await startWorkerBundle({ env: { DEEPVUE_QUOTA: "1000/1s" } });
    await bundle.startWorker();
    const input = { aadhaar: madeUpAadhaar(1), purpose: "Sender onboarding", consent: CONSENT };
    const sent = await ended(bundle, "deepvue.aadhaar-otp", input);
    const { otp } = await bundle.simulator.waitForOtp(input.aadhaar);
    const { id } = await ended(bundle, "deepvue.aadhaar-otp.verify", { of: sent.id, otp });
    const client = bundle.redis.client();
    const key = recordKey("{deepvue-0}", id);
    expect(await client.hexists(key, "personal")).toBe(1);
    const records = new RecordStore(client, bundle.settings.retention);
    const goes = Date.parse((await bundle.client.get(id))?.updated_at ?? "") + bundle.settings.retention.resultMs;
    await records.reap("{deepvue-0}", goes - 1);
    expect(await client.hexists(key, "personal")).toBe(1);
    await records.reap("{deepvue-0}", goes);
    expect(await client.hexists(key, "personal")).toBe(0);
    expect(await client.pttl(key)).toBeGreaterThan(0);
    expect(await bundle.client.get(id)).toMatchObject({ state: "succeeded", result: { verified: true } });
  });
});
