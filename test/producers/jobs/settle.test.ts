import { describe, expect, it } from "vitest";
import { JobQueues } from "../../../src/queues/job-queues.ts";
import { requeue } from "../../../producers/jobs/requeue.ts";
import type { SettleDecision } from "../../../producers/jobs/settle.ts";
import { madeUpMobile } from "../../../simulator/people.ts";
import { ErrorCode } from "../../../src/base/error.ts";
import { RecordStore } from "../../../src/records/record-store.ts";
import { packJob, unpackJob } from "../../../src/records/stored-job.ts";
import { MOBILE_INPUT, startClientBundle, type ClientBundle } from "../../support/client.ts";
import { startWorkerBundle, type WorkerBundle } from "../../support/worker.ts";

const REASON = { reason: "the provider's support says so, ticket 17" };
const QUEUE = "{eko-0}";
/** What a decision to send again keeps of a job without a deadline. */
const RESENT = { lookAt: null, keepsInput: true } as const;

/** Its reply is lost once, so that nobody knows whether the OTP was sent. */
function lostInput(index: number) {
  return { mobile: madeUpMobile(index, "902"), csp_id: "agent1" };
}

async function unknownJob(bundle: WorkerBundle, index = 1): Promise<string> {
  const { id } = await bundle.client.submit("eko.mobile-otp", lostInput(index));
  expect((await bundle.client.waitFor(id)).state).toBe("unknown");
  return id;
}

async function reach(bundle: ClientBundle, id: string, state: "succeeded" | "failed" | "unknown"): Promise<void> {
  await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { id });
  await bundle.redis.client().del(`satyapan:${QUEUE}:control`);
  await bundle.begin(id, "eko");
  await bundle.finish(id, "eko", state);
}

describe("settle", () => {
  it.each(["succeeded", "rejected"] as const)(
    "ends an unknown job as %s, and records why and when",
    async (decision) => {
      await using bundle = await startClientBundle();
      await reach(bundle, "job-1", "unknown");
      const before = Date.now();
      const record = await bundle.client.settle("job-1", decision, { reason: `  ${REASON.reason} ` });
      expect(record).toMatchObject({ state: decision, reason: null, decisions: [{ decision, reason: REASON.reason }] });
      expect(Date.parse(record.decisions?.[0]?.at ?? "")).toBeGreaterThanOrEqual(before);
      expect(await bundle.client.get("job-1")).toEqual(record);
      expect(await bundle.redis.client().pttl(`satyapan:${QUEUE}:job:job-1`)).toBeGreaterThan(0);
    },
  );

  it("wakes whoever waits for the end", async () => {
    await using bundle = await startClientBundle();
    await reach(bundle, "job-1", "unknown");
    await bundle.redis.client().hset(`satyapan:${QUEUE}:job:job-1`, "state", "queued");
    const waiting = bundle.newClient().waitFor("job-1");
    await expect.poll(async () => await bundle.redis.client().pubsub("NUMSUB", "satyapan:settled")).toContain(1);
    await bundle.redis.client().hset(`satyapan:${QUEUE}:job:job-1`, "state", "unknown");
    await bundle.client.settle("job-1", "rejected", REASON);
    expect((await waiting).state).toMatch(/^(?:unknown|rejected)$/);
  });

  it("refuses a job that is not unknown, and says what it is", async () => {
    await using bundle = await startClientBundle();
    await reach(bundle, "done-1", "succeeded");
    await bundle.client.submit("eko.mobile-otp", { ...MOBILE_INPUT, mobile: "9123456781" }, { id: "new-1" });
    await bundle.client.submit("eko.mobile-otp", { ...MOBILE_INPUT, mobile: "9123456782" }, { id: "bad-1" });
    await bundle.begin("bad-1", "eko", "ref-2");
    await bundle.finish("bad-1", "eko", "failed");
    for (const [id, message] of [
      ["done-1", "job done-1 is succeeded, not unknown: there is nothing to decide"],
      ["new-1", "job new-1 is queued, not unknown: it goes on by itself"],
      ["bad-1", "job bad-1 is failed, not unknown: `satyapan failed retry bad-1` tries it again"],
    ] as const) {
      const before = await bundle.client.get(id);
      const settling = bundle.client.settle(id, "resend", REASON);
      await expect(settling).rejects.toMatchObject({ code: ErrorCode.BAD_INPUT, message });
      expect(await bundle.client.get(id)).toEqual(before);
    }
    await expect(bundle.client.settle("none-1", "resend", REASON)).rejects.toMatchObject({
      code: ErrorCode.UNKNOWN_JOB,
    });
  });

  it.each([
    ["nothing", "  ", "reason: say why: it is kept with the record"],
    ["too much", "x".repeat(501), "reason: must be at most 500 characters"],
    ["a second line", "one\ntwo", "reason: must be one line of text"],
    ["a mobile number", "asked +91 98765 01234", "reason: holds what looks like a mobile or Aadhaar number"],
    ["an Aadhaar number", "for 9999 9999 0019.", "reason: holds what looks like a mobile or Aadhaar number"],
  ])("refuses a reason that is %s", async (_what, reason, message) => {
    await using bundle = await startClientBundle();
    const settling = bundle.client.settle("job-1", "rejected", { reason });
    await expect(settling).rejects.toMatchObject({ message: expect.stringContaining(message) as string });
  });

  it("refuses a decision that is none, also of a caller without types", async () => {
    await using bundle = await startClientBundle();
    const settling = bundle.client.settle("job-1", "failed" as SettleDecision, REASON);
    await expect(settling).rejects.toMatchObject({ message: "decision: must be one of succeeded, rejected, resend" });
  });

  it("refuses to send again what is past its deadline", async () => {
    await using bundle = await startClientBundle();
    await reach(bundle, "job-1", "unknown");
    const key = `satyapan:${QUEUE}:job:job-1`;
    const job = unpackJob((await bundle.redis.client().hget(key, "job")) ?? "");
    await bundle.redis.client().hset(key, "job", packJob({ ...job, expiresAt: Date.now() - 1_000 }));
    const settling = bundle.client.settle("job-1", "resend", REASON);
    await expect(settling).rejects.toMatchObject({ code: ErrorCode.EXPIRED });
    expect((await bundle.client.get("job-1"))?.state).toBe("unknown");
  });

  it("lets one of two decisions at the same instant win", async () => {
    await using bundle = await startClientBundle();
    await reach(bundle, "job-1", "unknown");
    const settling = ["succeeded", "rejected"] as const;
    const answers = await Promise.allSettled(
      settling.map(async (decision) => await bundle.newClient().settle("job-1", decision, REASON)),
    );
    expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect((await bundle.client.get("job-1"))?.decisions).toHaveLength(1);
  });
});

describe("settle resend", () => {
  it("makes one more attempt, not before the cooldown of its person is over", async () => {
    await using bundle = await startWorkerBundle({ env: { OTP_COOLDOWN: "3s" } });
    await bundle.startWorker();
    const id = await unknownJob(bundle);
    const settled = await bundle.client.settle(id, "resend", REASON);
    expect(settled).toMatchObject({ state: "queued", decisions: [{ decision: "resend" }] });
    const record = await bundle.client.waitFor(id);
    expect(record).toMatchObject({ state: "succeeded", decisions: [{ decision: "resend" }] });
    const { requests } = bundle.simulator;
    expect(requests).toHaveLength(2);
    // Since its attempt began: when it was seen depends on how busy the one is who sees it.
    const firstAt = Date.parse(record.attempts[0]?.started_at ?? "");
    expect((requests[1]?.at ?? 0) - firstAt).toBeGreaterThanOrEqual(2_900);
  });

  it("loses none that is settled in the very moment it became unknown", async () => {
    await using bundle = await startWorkerBundle({ env: { OTP_COOLDOWN: "0s" } });
    await bundle.startWorker();
    const ids = await Promise.all(
      // More would open the breaker.
      Array.from({ length: 2 }, async (_, index) => {
        const { id } = await bundle.client.submit("eko.mobile-otp", lostInput(index));
        await bundle.client.waitFor(id);
        await bundle.client.settle(id, "resend", REASON);
        return id;
      }),
    );
    for (const id of ids) expect((await bundle.client.waitFor(id)).state).toBe("succeeded");
    expect(bundle.simulator.requests).toHaveLength(4);
  });

  it("leaves the job unknown, and nothing sent, where its process dies before the decision", async () => {
    await using bundle = await startWorkerBundle({ env: { OTP_COOLDOWN: "0s" } });
    await bundle.startWorker();
    const id = await unknownJob(bundle);
    const redis = bundle.redis.client();
    const queues = new JobQueues(redis, Date.now);
    const dying = requeue(queues, QUEUE, [{ id, lane: "interactive", verify: false }], 0, async () => {
      await Promise.reject(new Error("killed"));
    });
    await expect(dying).rejects.toThrow("killed");
    await expect.poll(async () => await queues.missing(QUEUE, [id])).toEqual([id]);
    await queues.close();
    expect((await bundle.client.get(id))?.state).toBe("unknown");
    expect(bundle.simulator.requests).toHaveLength(1);
    await bundle.client.settle(id, "resend", REASON);
    expect((await bundle.client.waitFor(id)).state).toBe("succeeded");
  });

  it("is carried out where its process dies right after the decision", async () => {
    await using bundle = await startWorkerBundle({ env: { OTP_COOLDOWN: "0s" } });
    await bundle.startWorker();
    const id = await unknownJob(bundle);
    const redis = bundle.redis.client();
    const records = new RecordStore(redis, bundle.settings.retention);
    const queues = new JobQueues(redis, Date.now);
    const dying = requeue(queues, QUEUE, [{ id, lane: "interactive", verify: false }], 0, async () => {
      const at = Date.now();
      const line = JSON.stringify({ decision: "resend", ...REASON, at });
      expect(
        await records.settle(QUEUE, id, "queued", line, at, RESENT, {
          ...{
            at: new Date(at).toISOString(),
            kind: "settle",
            actor: "library:test",
            job: id,
            operation: "eko.mobile-otp",
          },
          ...{ subject: null, outcome: "resend", ...REASON },
        }),
      ).toBe("done");
      throw new Error("killed");
    });
    await expect(dying).rejects.toThrow("killed");
    await queues.close();
    expect((await bundle.client.waitFor(id)).state).toBe("succeeded");
  });
});

describe("requeue", () => {
  it("waits for a worker that is about to end the job's last run, which would take the new one with it", async () => {
    await using bundle = await startClientBundle();
    const redis = bundle.redis.client();
    const queues = new JobQueues(redis, Date.now);
    await reach(bundle, "job-1", "unknown");
    // As in the worker's hands.
    await redis.lmove(`bull:${QUEUE}:wait`, `bull:${QUEUE}:active`, "LEFT", "RIGHT");
    let decided = false;
    const requeued = requeue(queues, QUEUE, [{ id: "job-1", lane: "interactive", verify: false }], 0, async () => {
      decided = true;
      return await Promise.resolve();
    });
    const looks = async (): Promise<number> =>
      Number(/cmdstat_lrange:calls=(\d+)/.exec(await redis.info("commandstats"))?.[1]);
    const before = await looks();
    await expect.poll(looks).toBeGreaterThan(before + 2);
    expect(decided).toBe(false);
    // The worker is done with it.
    await redis.multi().del(`bull:${QUEUE}:active`, `bull:${QUEUE}:j-job-1`).exec();
    await requeued;
    expect(await redis.zrange(`bull:${QUEUE}:delayed`, "0", "-1")).toEqual(["j-job-1"]);
    await queues.close();
  });
});
