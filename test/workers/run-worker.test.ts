import { describe, expect, it } from "vitest";
import { madeUpAadhaar, madeUpMobile } from "../../simulator/people.ts";
import { startWorkerBundle, type WorkerBundle } from "../support/worker.ts";
import { Lived } from "../support/lived.ts";

const CONSENT = { reference: "C-1", method: "signed form", obtained_at: "2026-01-15T10:00:00+05:30" };

function deepvueInput(ending: string, index = 1) {
  return { aadhaar: madeUpAadhaar(index, ending), purpose: "Sender onboarding", consent: CONSENT };
}

function mobileInput(ending: string, index = 1) {
  return { mobile: madeUpMobile(index, ending), csp_id: madeUpMobile(900) };
}

const outcomesOf = (record: { attempts: readonly { outcome: { kind: string } | null }[] }) =>
  record.attempts.map(({ outcome }) => outcome?.kind);

async function run(bundle: WorkerBundle, operation: string, input: unknown, options = {}) {
  const { id } = await bundle.client.submitUnchecked(operation, input, options);
  return await bundle.client.waitFor(id);
}

describe("a worker", () => {
  it("carries a job to success and keeps references and masks only", async () => {
    await using bundle = await startWorkerBundle();
    await bundle.startWorker();
    const input = deepvueInput("000");
    const record = await run(bundle, "deepvue.aadhaar-otp", input);
    expect(record).toMatchObject({
      operation: "deepvue.aadhaar-otp",
      lane: "interactive",
      state: "succeeded",
      outcome: { kind: "succeeded", http_status: 200, sub_code: "SUCCESS" },
      next_attempt_at: null,
      reason: null,
    });
    expect(record.result).toMatchObject({
      aadhaar: `XXXX XXXX ${input.aadhaar.slice(8)}`,
      reference_id: expect.stringMatching(/^\d{8}$/) as string,
    });
    expect(record.attempts).toHaveLength(1);
    expect(record.attempts[0]?.client_ref_id).toMatch(/^[A-Za-z0-9_-]{1,20}$/);
  });

  it("verifies with the references of the send that `of` names, and with the same client_ref_id for a mobile OTP", async () => {
    await using bundle = await startWorkerBundle();
    await bundle.startWorker();
    const sent = await run(bundle, "eko.mobile-otp", mobileInput("000"));
    const otp = bundle.simulator.outbox.at(-1)?.otp;
    const verified = await run(bundle, "eko.mobile-otp.verify", { of: sent.id, otp });
    expect(verified.state).toBe("succeeded");
    expect(verified.attempts[0]?.client_ref_id).toBe(sent.attempts[0]?.client_ref_id);
  });

  it("waits a 409 out for its own delay and uses no attempt for it", async () => {
    await using bundle = await startWorkerBundle({ env: { CALL_ATTEMPTS: "1" } });
    await bundle.startWorker();
    const record = await run(bundle, "deepvue.aadhaar-otp", deepvueInput("409"));
    expect(outcomesOf(record)).toEqual(["pending", "succeeded"]);
    const [first, second] = record.attempts;
    expect(Date.parse(second?.started_at ?? "") - Date.parse(first?.ended_at ?? "")).toBeGreaterThanOrEqual(100);
  });

  it("rejects a job whose 409 never ends, once every delay is used up", async () => {
    await using bundle = await startWorkerBundle();
    await bundle.startWorker();
    const record = await run(bundle, "deepvue.aadhaar-otp", deepvueInput("410"));
    expect(record).toMatchObject({ state: "rejected", reason: "OTP already pending" });
    expect(outcomesOf(record)).toEqual(["pending", "pending", "pending"]);
  });

  it("shows, while it waits, why and until when", async () => {
    await using bundle = await startWorkerBundle({ env: { DEEPVUE_PENDING_DELAYS: "60s" } });
    await bundle.startWorker();
    const { id } = await bundle.client.submitUnchecked("deepvue.aadhaar-otp", deepvueInput("410"));
    await expect.poll(async () => (await bundle.client.get(id))?.state).toBe("waiting");
    const record = await bundle.client.get(id);
    expect(record?.reason).toMatch(/^pending: .*wait 1 of 1/);
    const waited = Date.parse(record?.next_attempt_at ?? "") - Date.parse(record?.updated_at ?? "");
    expect(waited).toBe(60_000);
  });

  it("backs off after a temporary failure and then succeeds", async () => {
    await using bundle = await startWorkerBundle();
    await bundle.startWorker();
    for (const [operation, input] of [
      ["deepvue.aadhaar-otp", deepvueInput("544")],
      ["eko.mobile-otp", mobileInput("544")],
    ] as const) {
      const record = await run(bundle, operation, input);
      expect(outcomesOf(record)).toEqual(["unavailable", "unavailable", "succeeded"]);
      expect(new Set(record.attempts.map((attempt) => attempt.client_ref_id)).size).toBe(3);
    }
  });

  it("fails a job whose attempts are used up", async () => {
    const always = { operation: "eko.mobile-otp", fault: "temporary-failure" } as const;
    await using bundle = await startWorkerBundle({ simulator: { faults: [always] }, env: { CALL_ATTEMPTS: "3" } });
    await bundle.startWorker();
    const record = await run(bundle, "eko.mobile-otp", mobileInput("000"));
    expect(record).toMatchObject({
      state: "failed",
      reason: expect.stringMatching(/^attempts used up \(3\)/) as string,
    });
    expect(outcomesOf(record)).toEqual(["unavailable", "unavailable", "unavailable"]);
  });

  it("stops as unknown where the reply was lost, and never sends a second OTP", async () => {
    await using bundle = await startWorkerBundle();
    await bundle.startWorker();
    const record = await run(bundle, "eko.mobile-otp", mobileInput("902"));
    expect(record).toMatchObject({ state: "unknown", outcome: { kind: "unknown", http_status: null } });
    expect(bundle.simulator.outbox).toHaveLength(1);
    expect(bundle.simulator.requests).toHaveLength(1);
  });

  it("tries again what is known not to have been sent", async () => {
    await using bundle = await startWorkerBundle();
    await bundle.simulator.close();
    await bundle.startWorker();
    const record = await run(bundle, "eko.mobile-otp", mobileInput("000"));
    expect(record.state).toBe("failed");
    expect(outcomesOf(record)).toEqual(Array.from({ length: 5 }, () => "unavailable"));
  });

  it("holds the credential where it is refused, fails nobody, and lifts the hold when one job gets through", async () => {
    await using bundle = await startWorkerBundle({ env: { HOLD_PROBE: "400ms" } });
    await bundle.startWorker();
    const record = await run(bundle, "deepvue.aadhaar-otp", deepvueInput("401"));
    expect(outcomesOf(record)).toEqual(["refused", "succeeded"]);
    const [first, second] = record.attempts;
    expect(Date.parse(second?.started_at ?? "") - Date.parse(first?.ended_at ?? "")).toBeGreaterThanOrEqual(390);
    expect((await run(bundle, "deepvue.aadhaar-otp", deepvueInput("000", 2))).state).toBe("succeeded");
  });

  it("never calls for a job whose deadline came first", async () => {
    await using bundle = await startWorkerBundle();
    const { id } = await bundle.client.submitUnchecked("eko.mobile-otp", mobileInput("000"), { expiresIn: 1 });
    await bundle.startWorker();
    expect(await bundle.client.waitFor(id)).toMatchObject({ state: "expired", attempts: [] });
    expect(bundle.simulator.requests).toHaveLength(0);
  });

  it("pauses every job of the credential after a 429, and uses no attempt for it", async () => {
    await using bundle = await startWorkerBundle({ env: { CALL_ATTEMPTS: "1" } });
    await bundle.startWorker();
    const throttled = await run(bundle, "eko.mobile-otp", mobileInput("429"));
    expect(outcomesOf(throttled)).toEqual(["throttled", "succeeded"]);
    const [first, second] = throttled.attempts;
    expect(Date.parse(second?.started_at ?? "") - Date.parse(first?.ended_at ?? "")).toBeGreaterThanOrEqual(1_000);
    const [, again] = bundle.simulator.requests;
    expect((again?.at ?? 0) - (bundle.simulator.requests[0]?.at ?? 0)).toBeGreaterThanOrEqual(1_000);
  });

  it("starts no more jobs per window than the quota says", async () => {
    await using bundle = await startWorkerBundle({ env: { EKO_QUOTA: "5/500ms" } });
    await bundle.startWorker();
    const inputs = Array.from({ length: 15 }, (_, index) => mobileInput("000", index));
    const records = await bundle.client.submitManyUnchecked("eko.mobile-otp", inputs);
    for (const { id } of records) await bundle.client.waitFor(id);
    const arrivals = bundle.simulator.requests.map(({ at }) => at).toSorted((a, b) => a - b);
    // BullMQ counts fixed windows at the start of a job: 15 calls need at least three of them.
    expect((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)).toBeGreaterThanOrEqual(900);
  });

  it("takes interactive jobs before bulk ones", async () => {
    await using bundle = await startWorkerBundle({ env: { WORKER_CONCURRENCY: "1" } });
    const bulk = await bundle.client.submitManyUnchecked(
      "eko.mobile-otp",
      [1, 2, 3].map((index) => mobileInput("000", index)),
    );
    const urgent = await bundle.client.submitUnchecked("eko.mobile-otp", mobileInput("000", 4));
    await bundle.startWorker();
    for (const { id } of [...bulk, urgent]) await bundle.client.waitFor(id);
    expect(bundle.simulator.outbox[0]?.to).toBe(madeUpMobile(4));
  });

  it("parks a job that it cannot open as failed, calls nobody, and goes on with the others", async () => {
    await using bundle = await startWorkerBundle();
    const { id } = await bundle.client.submitUnchecked("eko.mobile-otp", mobileInput("000"));
    const redis = bundle.redis.client();
    const key = `satyapan:{eko-0}:job:${id}`;
    const input = (await redis.hget(key, "input")) ?? "";
    // One character of what is sealed is another: no key opens it.
    await redis.hset(
      key,
      "input",
      input.replace(/(.)("\}+)$/, (_, last: string, end) => `${last === "A" ? "B" : "A"}${end}`),
    );
    await bundle.startWorker();
    const record = await bundle.client.waitFor(id);
    expect(record).toMatchObject({ state: "failed", reason: expect.stringMatching(/^unreadable: /) as string });
    expect((await run(bundle, "eko.mobile-otp", mobileInput("000", 2))).state).toBe("succeeded");
    expect(bundle.simulator.requests).toHaveLength(1);
  });

  it("gives up an attempt that a dead worker left open: unknown, and nobody is called", async () => {
    await using bundle = await startWorkerBundle();
    const { id } = await bundle.client.submitUnchecked("eko.mobile-otp", mobileInput("000"));
    const redis = bundle.redis.client();
    await redis.hset(`satyapan:{eko-0}:job:${id}`, {
      state: "active",
      attempts: 1,
      open: "1 of-the-dead",
      "attempt:1": JSON.stringify({ client_ref_id: "of-the-dead", started: Date.now() }),
    });
    await bundle.startWorker();
    const record = await bundle.client.waitFor(id);
    expect(record).toMatchObject({
      state: "unknown",
      attempts: [{ n: 1, client_ref_id: "of-the-dead", outcome: { kind: "unknown" } }],
    });
    expect(bundle.simulator.requests).toHaveLength(0);
  });

  it("looks again for a record that comes a moment after its entry in the queue", async () => {
    await using bundle = await startWorkerBundle();
    const { id } = await bundle.client.submitUnchecked("eko.mobile-otp", mobileInput("000"));
    const redis = bundle.redis.client();
    const [key, elsewhere] = [`satyapan:{eko-0}:job:${id}`, "satyapan:{eko-0}:job:elsewhere"];
    await redis.rename(key, elsewhere);
    await bundle.startWorker();
    const delayed = async () => await redis.zscore("bull:{eko-0}:delayed", `j-${id}`);
    await expect.poll(delayed, { interval: 5 }).not.toBeNull();
    expect(await bundle.client.get(id)).toBeNull();
    expect(bundle.log.join("")).not.toContain("job without a record dropped");
    await redis.rename(elsewhere, key);
    await expect.poll(async () => (await bundle.client.get(id))?.state).toBe("succeeded");
  });

  it("drops a job whose record is gone, and says so", async () => {
    await using bundle = await startWorkerBundle();
    const { id } = await bundle.client.submitUnchecked("eko.mobile-otp", mobileInput("000"));
    const redis = bundle.redis.client();
    await redis.del(`satyapan:{eko-0}:job:${id}`);
    await redis.hset(`bull:{eko-0}:j-${id}`, "timestamp", Date.now() - 10_000);
    await bundle.startWorker();
    await expect.poll(() => bundle.log.join("")).toContain("job without a record dropped");
    await expect.poll(async () => await redis.exists(`bull:{eko-0}:j-${id}`)).toBe(0);
    expect(bundle.simulator.requests).toHaveLength(0);
  });

  it("goes on after Redis was killed and came back", async () => {
    await using bundle = await startWorkerBundle();
    await bundle.startWorker();
    expect((await run(bundle, "eko.mobile-otp", mobileInput("000", 1))).state).toBe("succeeded");
    await bundle.redis.kill9();
    await bundle.redis.restart();
    await expect.poll(async () => await bundle.client.get("anything").catch(() => "away")).toBeNull();
    expect((await run(bundle, "eko.mobile-otp", mobileInput("000", 2))).state).toBe("succeeded");
  });

  it("lets the call under way finish when it is told to stop", async () => {
    await using bundle = await startWorkerBundle({ simulator: { latencyMs: { min: 500, max: 500 } } });
    const worker = await bundle.startWorker();
    const { id } = await bundle.client.submitUnchecked("eko.mobile-otp", mobileInput("000"));
    await expect.poll(() => bundle.simulator.stats().open).toBe(1);
    expect(await worker.stop()).toBe(true);
    expect((await bundle.client.get(id))?.state).toBe("succeeded");
  });

  it("stops at the end of its grace though a call hangs, and leaves an honest record", async () => {
    await using bundle = await startWorkerBundle({ simulator: { latencyMs: { min: 20_000, max: 20_000 } } });
    const worker = await bundle.startWorker({ worker: { ...bundle.settings.worker, shutdownGraceMs: 300 } });
    const { id } = await bundle.client.submitUnchecked("eko.mobile-otp", mobileInput("000"));
    await expect.poll(() => bundle.simulator.stats().open).toBe(1);
    using lived = new Lived();
    await worker.stop();
    expect(lived.ms).toBeLessThan(5_000);
    expect((await bundle.client.get(id))?.state).toBe("unknown");
  });

  it("stops quickly though Redis is away", async () => {
    await using bundle = await startWorkerBundle();
    const worker = await bundle.startWorker();
    await bundle.redis.kill9();
    using lived = new Lived();
    await worker.stop();
    expect(lived.ms).toBeLessThan(8_000);
    await bundle.redis.restart();
  });

  it("refuses to start without a provider's settings, naming them", async () => {
    await using bundle = await startWorkerBundle();
    await expect(bundle.startWorker({ eko: null, deepvue: null })).rejects.toThrow(
      /EKO_DEVELOPER_KEY.*DEEPVUE_CLIENT_ID/,
    );
  });

  it("refuses a Redis that evicts", async () => {
    await using bundle = await startWorkerBundle();
    await bundle.redis.client().config("SET", "maxmemory-policy", "allkeys-lru");
    await expect(bundle.startWorker()).rejects.toThrow(/maxmemory-policy/);
  });
});

describe("what a worker serves", () => {
  it("counts calls by response_status_id, jobs by state, and queues by BullMQ's state", async () => {
    await using bundle = await startWorkerBundle({ simulator: { otpSentEnvelope: "2129" } });
    const { metricsPort } = await bundle.startWorker();
    const input = { customer_id: madeUpMobile(1), aadhaar: madeUpAadhaar(1), otp_ref_id: "73849201" };
    await run(bundle, "eko.dmt-levin.aadhaar-otp", input);
    await run(bundle, "deepvue.aadhaar-otp", deepvueInput("114"));
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    const line = (start: string) => text.split("\n").find((candidate) => candidate.startsWith(start));
    expect(
      line(
        'satyapan_calls_total{provider="eko",operation="eko.dmt-levin.aadhaar-otp",outcome="succeeded",response_status_id="1",response_type_id="2129"',
      ),
    ).toMatch(/ 1$/);
    expect(
      line(
        'satyapan_calls_total{provider="deepvue",operation="deepvue.aadhaar-otp",outcome="rejected",response_status_id="AADHAAR_MOBILE_NOT_LINKED",response_type_id="none"',
      ),
    ).toMatch(/ 1$/);
    expect(
      line('satyapan_jobs_settled_total{operation="deepvue.aadhaar-otp",state="rejected",lane="interactive"'),
    ).toMatch(/ 1$/);
    expect(line('satyapan_call_duration_seconds_count{provider="eko",operation="eko.dmt-levin.aadhaar-otp"')).toMatch(
      / 1$/,
    );
    expect(line('satyapan_job_pickup_seconds_count{lane="interactive"')).toMatch(/ 2$/);
    expect(line('satyapan_queue_jobs{queue="{eko-0}",state="waiting"')).toMatch(/ 0$/);
    expect(line('satyapan_queue_oldest_waiting_seconds{queue="{deepvue-0}"')).toMatch(/ 0$/);
  });

  it("says that it lives and that it is ready, and no longer ready while Redis is away", async () => {
    await using bundle = await startWorkerBundle();
    const { metricsPort } = await bundle.startWorker();
    const status = async (path: string) => (await fetch(`http://127.0.0.1:${metricsPort}${path}`)).status;
    expect(await status("/healthz")).toBe(200);
    await expect.poll(async () => await status("/readyz")).toBe(200);
    await bundle.redis.kill9();
    await expect.poll(async () => await status("/readyz")).toBe(503);
    expect(await status("/healthz")).toBe(200);
    expect(await status("/metrics")).toBe(200);
    await bundle.redis.restart();
    await expect.poll(async () => await status("/readyz")).toBe(200);
  });

  it("refuses a port that is taken, naming the setting", async () => {
    await using bundle = await startWorkerBundle();
    const { metricsPort } = await bundle.startWorker();
    const worker = { ...bundle.settings.worker, metricsPort };
    await expect(bundle.startWorker({ worker })).rejects.toThrow(/^METRICS_PORT: port \d+ is taken/);
  });
});

describe("what a worker logs", () => {
  it("has job, operation, attempt and outcome as fields, and nothing personal", async () => {
    await using bundle = await startWorkerBundle();
    await bundle.startWorker();
    const input = deepvueInput("000");
    const { id } = await run(bundle, "deepvue.aadhaar-otp", input);
    const lines = bundle.log.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.find(({ msg, job }) => msg === "attempt finished" && job === id)).toMatchObject({
      operation: "deepvue.aadhaar-otp",
      attempt: 1,
      outcome: "succeeded",
    });
    expect(bundle.log.join("")).not.toContain(input.aadhaar);
  });
});
