import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { ErrorCode } from "../../src/base/error.ts";
import { dueKey, recordKey } from "../../src/queues/names.ts";
import { oldestWaitingMs } from "../../src/records/oldest-waiting.ts";
import { startClientBundle } from "../support/client.ts";
import { startWorkerBundle, type WorkerBundle } from "../support/worker.ts";

const QUEUE = "{eko-0}";
const input = (person: number) => ({ mobile: madeUpMobile(person), csp_id: "agent-1" });
const SAID = "not a record: something else was written to its key in Redis; whether it was called cannot be known";

/** Something else is written over its record. */
async function overwrite({ redis }: Pick<WorkerBundle, "redis">, id: string): Promise<void> {
  const client = redis.client();
  await client.del(recordKey(QUEUE, id));
  await client.rpush(recordKey(QUEUE, id), "something", "else");
}

describe("a job whose key holds no record", () => {
  it("is parked once, is counted, is never called, and holds back no other", async () => {
    await using bundle = await startWorkerBundle();
    const { client } = bundle;
    for (const [person, id] of ["job-1", "job-2"].entries())
      await client.submit("eko.mobile-otp", input(person), { id });
    await overwrite(bundle, "job-1");
    expect(await oldestWaitingMs(bundle.redis.client(), QUEUE)).toBeGreaterThanOrEqual(0);
    const worker = await bundle.startWorker();
    expect((await client.waitFor("job-2", { timeoutMs: 60_000 })).state).toBe("succeeded");
    await expect
      .poll(async () => await (await fetch(`http://127.0.0.1:${worker.metricsPort}/metrics`)).text())
      .toContain('satyapan_unreadable_total{place="record"} 1');
    expect(bundle.log.filter((line) => line.includes("job threw"))).toEqual([]);
    expect(bundle.log.filter((line) => line.includes("job parked"))).toHaveLength(1);
    expect(bundle.simulator.requests).toHaveLength(1);
    const redis = bundle.redis.client();
    await expect.poll(async () => await redis.exists(`bull:${QUEUE}:j-job-1`)).toBe(0);
    expect(await redis.pttl(recordKey(QUEUE, "job-1"))).toBeGreaterThan(0);
    const failed: string[] = [];
    for await (const { id, reason } of client.failed.list()) failed.push(`${id}: ${reason}`);
    expect(failed).toEqual([`job-1: ${SAID}`]);
  });

  it("is shown and explained, is taken for no other's send, and can be dropped, but not tried again", async () => {
    await using bundle = await startClientBundle();
    const { client, redis } = bundle;
    await client.submit("eko.mobile-otp", input(1), { id: "job-1" });
    await overwrite(bundle, "job-1");
    expect(await client.get("job-1")).toMatchObject({ state: "failed", reason: SAID, unreadable: ["job", "state"] });
    expect((await client.explain("job-1"))?.text).toContain("Not a record: something else was written to its key");
    await expect(client.submit("eko.mobile-otp", input(1), { id: "job-1" })).rejects.toMatchObject({
      code: ErrorCode.ID_CONFLICT,
    });
    await expect(client.reveal("job-1", { reason: "a test" })).rejects.toMatchObject({ code: ErrorCode.UNREADABLE });
    const next = await client.submit("eko.mobile-otp", input(1), { id: "job-2", ifPending: "reuse" });
    expect(next).toMatchObject({ id: "job-2", state: "queued" });
    await redis.client().zadd(`satyapan:${QUEUE}:failed`, 1, "job-1");
    await expect(client.failed.retry({ ids: ["job-1"] })).rejects.toThrow("or cannot be read");
    const left: string[] = [];
    expect(await client.failed.retry({}, { onDestroyed: (ids) => left.push(...ids) })).toBe(0);
    expect(left).toEqual(["job-1"]);
    expect(await client.failed.drop()).toBe(1);
    expect(await client.get("job-1")).toBeNull();
  });

  it("that nobody takes is parked by the reaper when its deadline comes, and counted", async () => {
    await using bundle = await startWorkerBundle();
    await bundle.client.submit("eko.mobile-otp", input(1), { id: "job-1" });
    await overwrite(bundle, "job-1");
    const redis = bundle.redis.client();
    await redis.del(`bull:${QUEUE}:wait`, `bull:${QUEUE}:j-job-1`);
    await redis.zadd(dueKey(QUEUE), Date.now() - 1_000, "job-1");
    const worker = await bundle.startWorker();
    await expect.poll(async () => await redis.zcard(dueKey(QUEUE))).toBe(0);
    await expect
      .poll(async () => await (await fetch(`http://127.0.0.1:${worker.metricsPort}/metrics`)).text())
      .toContain('satyapan_unreadable_total{place="record"} 1');
    expect(await bundle.client.failed.count()).toBe(1);
  });
});
