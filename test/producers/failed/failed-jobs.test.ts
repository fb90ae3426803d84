import { describe, expect, it } from "vitest";
import type { Client } from "../../../producers/client.ts";
import type { FailedFilter } from "../../../producers/failed/failed-jobs.ts";
import { madeUpMobile } from "../../../simulator/people.ts";
import { ErrorCode } from "../../../src/base/error.ts";
import type { OutcomeKind } from "../../../src/outcomes/outcome.ts";
import type { Lane } from "../../../src/outcomes/lane.ts";
import { AADHAAR_INPUT, type ClientBundle, startClientBundle } from "../../support/client.ts";
import { keysIn } from "../../support/redis-content.ts";
import { startWorkerBundle } from "../../support/worker.ts";

const EKO = "{eko-0}";
const HOUR = 3_600_000;

function mobileInput(index: number) {
  return { mobile: madeUpMobile(index, "000"), csp_id: "agent1" };
}

interface Failure {
  readonly lane?: Lane;
  readonly kind?: OutcomeKind;
  /** How long ago, ms. */
  readonly ago?: number;
}

/** A job that failed, as a worker leaves it behind. */
async function fail(bundle: ClientBundle, id: string, index: number, { lane, kind, ago = 0 }: Failure = {}) {
  const deepvue = id.startsWith("deepvue");
  const operation = deepvue ? "deepvue.aadhaar-otp" : "eko.mobile-otp";
  const input = deepvue ? AADHAAR_INPUT : mobileInput(index);
  await bundle.client.submitUnchecked(operation, input, { id, lane: lane ?? "interactive" });
  const provider = deepvue ? "deepvue" : "eko";
  await bundle.begin(id, provider, `ref-${id}`);
  const reason = "attempts used up (1)";
  await bundle.finish(id, provider, "failed", { kind: kind ?? "unavailable", reason, at: Date.now() - ago });
}

async function listed({ client }: { readonly client: Client }, filter: FailedFilter = {}): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of client.failed.list(filter)) ids.push(id);
  return ids;
}

describe("the failed jobs", () => {
  it("are listed oldest first, by operation, outcome and time, and counted without being touched", async () => {
    await using bundle = await startClientBundle();
    await fail(bundle, "new", 1);
    await fail(bundle, "old", 2, { ago: 2 * HOUR });
    await fail(bundle, "refused", 3, { kind: "refused", ago: HOUR });
    await fail(bundle, "deepvue", 4);
    expect(await listed(bundle)).toEqual(["old", "refused", "new", "deepvue"]);
    expect(await listed(bundle, { operation: "deepvue.aadhaar-otp" })).toEqual(["deepvue"]);
    expect(await listed(bundle, { outcome: "refused" })).toEqual(["refused"]);
    expect(await listed(bundle, { since: Date.now() - 1.5 * HOUR })).toEqual(["refused", "new", "deepvue"]);
    expect(await listed(bundle, { since: Date.now() - 1.5 * HOUR, outcome: "unavailable" })).toEqual([
      "new",
      "deepvue",
    ]);
    expect(await bundle.client.failed.count({ operation: "eko.mobile-otp" })).toBe(3);
    await expect(bundle.client.failed.count({ operation: "eko.nothing" })).rejects.toMatchObject({
      code: ErrorCode.UNKNOWN_OPERATION,
    });
  });

  it("are all found, each once, however many failed at the same instant", async () => {
    await using bundle = await startClientBundle();
    const inputs = Array.from({ length: 1_300 }, (_, index) => mobileInput(index));
    await bundle.client.submitMany("eko.mobile-otp", inputs, { id: "row" });
    const pipeline = bundle.redis.client().pipeline();
    for (let row = 1; row <= inputs.length; row++) {
      pipeline.hset(`satyapan:${EKO}:job:row-${row}`, "state", "failed");
      pipeline.zadd(`satyapan:${EKO}:failed`, row <= 100 ? row : 1_000, `row-${row}`);
    }
    await pipeline.exec();
    const ids = await listed(bundle);
    expect(ids).toHaveLength(1_300);
    expect(new Set(ids).size).toBe(1_300);
    expect(await bundle.client.failed.drop({})).toBe(1_300);
    expect(await listed(bundle)).toEqual([]);
  });

  it("leave the index when their records are past their retention", async () => {
    await using bundle = await startClientBundle();
    await fail(bundle, "kept", 1);
    await fail(bundle, "gone", 2);
    await bundle.redis.client().del(`satyapan:${EKO}:job:gone`);
    expect(await listed(bundle)).toEqual(["kept"]);
    expect(await bundle.redis.client().zrange(`satyapan:${EKO}:failed`, "0", "-1")).toEqual(["kept"]);
  });
});

describe("drop", () => {
  it("deletes everything that is kept of a job, so that its id is free again, and nothing of the others", async () => {
    await using bundle = await startClientBundle();
    await fail(bundle, "kept", 1);
    const before = (await keysIn(bundle.redis)).toSorted();
    await fail(bundle, "mine", 2);
    await bundle.redis.client().del(`bull:${EKO}:j-mine`);
    expect(await bundle.client.failed.drop({ ids: ["mine"] })).toBe(1);
    expect(await bundle.client.get("mine")).toBeNull();
    const left = (await keysIn(bundle.redis)).filter((key) => !before.includes(key));
    // What stays: when the person was last sent an OTP, that somebody dropped the job, and for a while what that step answered.
    const stays = (key: string): boolean => /:sent:|:audit$|:answer:/.test(key);
    expect(left.filter((key) => key.startsWith("satyapan:") && !stays(key))).toEqual([]);
    expect(await listed(bundle)).toEqual(["kept"]);
    await bundle.client.submit("deepvue.aadhaar-otp", AADHAAR_INPUT, { id: "mine" });
  });
});

describe("retry", () => {
  it("gives each its attempts back, in its own lane, and no worker misses one", async () => {
    const fault = { operation: "eko.mobile-otp", fault: "temporary-failure", times: 2 } as const;
    await using bundle = await startWorkerBundle({ simulator: { faults: [fault] }, env: { CALL_ATTEMPTS: "1" } });
    await bundle.startWorker();
    const inputs = [1, 2].map(mobileInput);
    const records = await bundle.client.submitMany("eko.mobile-otp", inputs, { lane: "bulk" });
    for (const { id } of records) expect((await bundle.client.waitFor(id)).state).toBe("failed");
    expect(await bundle.client.failed.retry({ operation: "eko.mobile-otp" })).toBe(2);
    expect(await listed(bundle)).toEqual([]);
    for (const { id } of records) {
      const record = await bundle.client.waitFor(id);
      expect(record).toMatchObject({
        state: "succeeded",
        lane: "bulk",
        decisions: [{ decision: "retry", reason: null }],
      });
      expect(record.attempts).toHaveLength(2);
    }
  });

  it("keeps the priority of the bulk lane", async () => {
    await using bundle = await startClientBundle();
    await fail(bundle, "bulk", 1, { lane: "bulk" });
    await fail(bundle, "urgent", 2);
    const redis = bundle.redis.client();
    await redis.del(`bull:${EKO}:j-bulk`, `bull:${EKO}:j-urgent`, `bull:${EKO}:wait`, `bull:${EKO}:prioritized`);
    expect(await bundle.client.failed.retry({})).toBe(2);
    expect(await redis.hget(`bull:${EKO}:j-bulk`, "priority")).toBe("20");
    expect(await redis.hget(`bull:${EKO}:j-urgent`, "priority")).toBe("0");
    expect((await redis.zrange(`bull:${EKO}:delayed`, "0", "-1")).toSorted()).toEqual(["j-bulk", "j-urgent"]);
  });

  it("goes no faster than its rate, and stops where it is told to", async () => {
    await using bundle = await startClientBundle();
    for (let index = 0; index < 10; index++) await fail(bundle, `job-${index}`, index);
    await bundle.redis.client().del(`bull:${EKO}:wait`);
    const started = performance.now();
    const stop = new AbortController();
    const onDone = (done: number): void => void (done >= 6 && stop.abort());
    expect(await bundle.client.failed.retry({}, { rate: 10, signal: stop.signal, onDone })).toBe(6);
    // Two at once, then two every 200 ms.
    expect(performance.now() - started).toBeGreaterThanOrEqual(390);
    expect(await listed(bundle)).toHaveLength(4);
  });

  it("leaves out those whose input is no longer kept, and says which, and goes on with the others", async () => {
    await using bundle = await startClientBundle();
    for (const n of [1, 2, 3, 4]) await fail(bundle, `job-${n}`, n);
    for (const id of ["job-1", "job-3"]) await bundle.redis.client().hdel(`satyapan:${EKO}:job:${id}`, "input");
    const left: string[] = [];
    const onDestroyed = (ids: readonly string[]): void => void left.push(...ids);
    expect(await bundle.client.failed.retry({}, { rate: 5, onDestroyed })).toBe(2);
    expect(left.toSorted()).toEqual(["job-1", "job-3"]);
    expect(await listed(bundle)).toEqual(["job-1", "job-3"]);
    await expect(bundle.client.failed.retry({ ids: ["job-1"] })).rejects.toThrow("its input is no longer kept");
  });

  it("refuses ids of jobs that are not failed, an unknown one with a word on settling, before any is retried", async () => {
    await using bundle = await startClientBundle();
    await fail(bundle, "failed", 1);
    await bundle.client.submit("eko.mobile-otp", mobileInput(2), { id: "maybe" });
    await bundle.begin("maybe", "eko");
    await bundle.finish("maybe", "eko", "unknown");
    const retrying = bundle.client.failed.retry({ ids: ["failed", "maybe"] });
    const message =
      "job maybe is unknown, not failed; whether it happened is for you to say: `satyapan settle maybe succeeded|rejected|resend`";
    await expect(retrying).rejects.toMatchObject({ code: ErrorCode.BAD_INPUT, message });
    await expect(bundle.client.failed.retry({ ids: ["none"] })).rejects.toMatchObject({ code: ErrorCode.UNKNOWN_JOB });
    expect(await listed(bundle)).toEqual(["failed"]);
    expect((await bundle.client.get("maybe"))?.state).toBe("unknown");
  });
});
