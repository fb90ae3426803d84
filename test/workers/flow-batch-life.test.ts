import { describe, expect, it } from "vitest";
import { madeUpAadhaar, madeUpMobile } from "../../simulator/people.ts";
import { noRows } from "../../src/batches/row-state.ts";
import type { BatchWishes } from "../../producers/batches/batch-terms.ts";
import { BatchBundle } from "../support/batch-bundle.ts";
import { startWorkerBundle } from "../support/worker.ts";

const aadhaarOf = (row: number): string => madeUpAadhaar(row);
const mobileOf = (row: number): string => madeUpMobile(row, "000");

/** A look-up and an OTP for each row of `eko.dmt-levin`; one OTP for each of `eko.mobile`. */
async function startBundle(env: Readonly<Record<string, string>> = {}) {
  const bundle = await startWorkerBundle({ env });
  const batches = new BatchBundle(bundle.redis, bundle.settings);
  const about = { name: "Asha Example", dob: "1990-01-31", residence_address: "1 Road" };
  const levin = async (count: number, wishes: BatchWishes = {}): Promise<string> => {
    const rows = batches.flowRows("eko.dmt-levin", count, (row) => ({
      ...{ customer_id: mobileOf(row), aadhaar: aadhaarOf(row), ...about },
    }));
    return (await batches.submit(rows, { flow: "eko.dmt-levin", ...wishes })).id;
  };
  const mobile = async (count: number, to: (row: number) => string, wishes: BatchWishes = {}): Promise<string> => {
    const rows = batches.flowRows("eko.mobile", count, (row) => ({ mobile: to(row), csp_id: "9000000001" }));
    return (await batches.submit(rows, { flow: "eko.mobile", ...wishes })).id;
  };
  const sent = (): string[] => bundle.simulator.outbox.map(({ to }) => to);
  const counts = async (id: string) => (await batches.show(id)).counts;
  /** Whoever got a code gives it, until the batch is over. */
  const answerAll = async (id: string, count: number, to: (row: number) => string): Promise<void> => {
    for (let row = 1; row <= count; row += 1) {
      const { otp } = await bundle.simulator.waitForOtp(to(row), { timeoutMs: 60_000 });
      await bundle.client.answer(`${id}-${row}`, otp);
    }
  };
  return {
    ...{ ...bundle, batches, levin, mobile, sent, counts, answerAll },
    [Symbol.asyncDispose]: async () => await bundle[Symbol.asyncDispose](),
  };
}

describe("a batch of a flow", () => {
  it("that is paused sends nobody an OTP any more, takes the codes of those who have one, and goes on where it was", async () => {
    await using bundle = await startBundle({ EKO_QUOTA: "20/1s" });
    const { batches, client, sent, counts } = bundle;
    const id = await bundle.levin(40);
    await bundle.startWorker();
    await expect.poll(() => sent().length, { timeout: 10_000, interval: 5 }).toBeGreaterThan(3);
    await client.batches.pause(id, "the bank asked for it");
    const pausedAt = Date.now();
    await expect.poll(async () => (await counts(id)).calling).toBe(0);
    const answered = sent()[0] ?? "";
    const row = Array.from({ length: 40 }, (_, index) => index + 1).find((one) => aadhaarOf(one) === answered) ?? 0;
    await expect.poll(async () => (await client.onboardings.get(`${id}-${row}`))?.state).toBe("awaiting_otp");
    await client.answer(`${id}-${row}`, (await bundle.simulator.waitForOtp(answered)).otp);
    await expect.poll(async () => (await counts(id)).succeeded).toBe(1);
    const called = bundle.simulator.stats().requests;
    // Longer than anybody looks again for what is held.
    await expect.poll(() => Date.now() - pausedAt).toBeGreaterThan(5_000);
    expect(bundle.simulator.outbox.filter(({ at }) => at > pausedAt + 1_000)).toEqual([]);
    expect(bundle.simulator.stats().requests).toEqual(called);
    expect(await counts(id)).toMatchObject({ calling: 0, awaiting_otp: sent().length - 1 });
    await batches.recount(id);
    await client.batches.resume(id);
    const others = Array.from({ length: 40 }, (_, index) => index + 1).filter((one) => one !== row);
    for (const one of others) {
      const { otp } = await bundle.simulator.waitForOtp(aadhaarOf(one), { timeoutMs: 60_000 });
      await client.answer(`${id}-${one}`, otp);
    }
    expect((await batches.ended(id)).counts).toEqual({ ...noRows(), succeeded: 40 });
    expect([sent().length, new Set(sent()).size]).toEqual([40, 40]);
    await batches.recount(id);
  });

  it("that is cancelled ends its onboardings before their next step, and asks nobody for a code any more", async () => {
    await using bundle = await startBundle({ EKO_QUOTA: "20/1s" });
    const { batches, client, sent, counts } = bundle;
    const id = await bundle.levin(40);
    await bundle.startWorker();
    await expect.poll(async () => (await counts(id)).awaiting_otp, { timeout: 10_000, interval: 5 }).toBeGreaterThan(3);
    await client.batches.cancel(id);
    const cancelledAt = Date.now();
    await expect.poll(async () => (await batches.show(id)).ended_at).not.toBeNull();
    expect(await counts(id)).toEqual({ ...noRows(), cancelled: 40 });
    expect(bundle.simulator.outbox.filter(({ at }) => at > cancelledAt + 1_000)).toEqual([]);
    expect(sent().length).toBeLessThan(40);
    const reasons = new Set((await batches.results(id)).map(({ reason }) => reason));
    expect([...reasons]).toEqual(expect.arrayContaining(["its batch was cancelled"]));
    await batches.recount(id);
  });

  it("says of each whose code did not come in time that it is expired", async () => {
    await using bundle = await startBundle();
    const { batches, simulator } = bundle;
    simulator.configure({ otpTtlMs: 5_000 });
    const id = await bundle.mobile(4, mobileOf, { stopAt: null });
    await bundle.startWorker();
    await bundle.answerAll(id, 1, mobileOf);
    const ended = await batches.ended(id);
    expect(ended).toMatchObject({ state: "finished_with_errors", counts: { succeeded: 1, expired: 3 } });
    expect((await batches.results(id, ["expired"])).map(({ reason, attempts }) => [reason, attempts])).toEqual(
      [1, 2, 3].map(() => ["its code did not come in time", 1]),
    );
    await batches.recount(id);
  });

  it("ends a row at its own deadline, though the provider would take its code for longer", async () => {
    await using bundle = await startBundle();
    const { batches, client, simulator } = bundle;
    const id = await bundle.levin(3, { stopAt: null, expiresIn: "4s" });
    await bundle.startWorker();
    await bundle.answerAll(id, 1, aadhaarOf);
    await expect.poll(async () => (await client.onboardings.get(`${id}-2`))?.state).toBe("awaiting_otp");
    const asked = await client.onboardings.get(`${id}-2`);
    expect(asked?.challenge?.deadline).toBe(asked?.expires_at);
    const ended = await batches.ended(id);
    expect(ended).toMatchObject({ state: "finished_with_errors", counts: { succeeded: 1, expired: 2 } });
    expect(Date.parse(ended.ended_at ?? "")).toBeLessThan(Date.parse(ended.created_at) + 60_000);
    const { otp } = await simulator.waitForOtp(aadhaarOf(2));
    await expect(client.answer(`${id}-2`, otp)).rejects.toThrow("it is expired");
    await batches.recount(id);
  });

  it("goes on with a row whose step failed, when somebody has that tried again, also after its end", async () => {
    await using bundle = await startBundle({ CALL_ATTEMPTS: "1" });
    const { batches, client, counts } = bundle;
    const once = (row: number): string => madeUpMobile(row, "500");
    const id = await bundle.mobile(2, once, { stopAt: null });
    await bundle.startWorker();
    expect((await batches.ended(id)).counts).toMatchObject({ failed: 2 });
    const jobs = (await batches.results(id)).map(({ result }) => String(result?.["job"]));
    expect(jobs).toEqual([`${id}-1-send`, `${id}-2-send`]);
    await client.failed.retry({ ids: jobs });
    await expect.poll(async () => await counts(id)).toMatchObject({ failed: 0, awaiting_otp: 2 });
    await bundle.answerAll(id, 2, once);
    await expect.poll(async () => await counts(id)).toMatchObject({ succeeded: 2 });
    expect((await batches.ended(id)).state).toBe("finished");
    expect((await batches.results(id)).map(({ attempts }) => attempts)).toEqual([3, 3]);
    await batches.recount(id);
  });

  it("stops by itself when too many of its onboardings are rejected", async () => {
    await using bundle = await startBundle();
    const { batches } = bundle;
    const id = await bundle.mobile(400, (row) => madeUpMobile(row, row % 2 === 0 ? "000" : "998"));
    await bundle.startWorker();
    await expect.poll(async () => (await batches.show(id)).state).toBe("stopped");
    expect((await batches.show(id)).reason).toMatch(/failed or were rejected, more than 30%$/);
    await batches.recount(id);
  });

  it("goes on with another worker when the one that fed it is gone, and asks nobody twice", async () => {
    await using bundle = await startBundle({ EKO_QUOTA: "100/1s" });
    const { batches, sent } = bundle;
    const id = await bundle.levin(60);
    const first = await bundle.startWorker();
    await expect.poll(() => sent().length, { timeout: 10_000, interval: 5 }).toBeGreaterThan(10);
    await bundle.startWorker();
    await first.stop();
    await bundle.answerAll(id, 60, aadhaarOf);
    expect((await batches.ended(id)).counts).toEqual({ ...noRows(), succeeded: 60 });
    expect([sent().length, new Set(sent()).size]).toEqual([60, 60]);
    await batches.recount(id);
  });

  it("leaves no record of what succeeded behind but its results", async () => {
    await using bundle = await startBundle();
    const { batches, redis } = bundle;
    const id = await bundle.mobile(3, mobileOf);
    await bundle.startWorker();
    await bundle.answerAll(id, 3, mobileOf);
    await batches.ended(id);
    const keys = await redis.client().keys(`*${id}-*`);
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) {
      // What was told of the person stays sealed as long as that of any job.
      if ((await redis.client().type(key)) === "hash" && (await redis.client().hexists(key, "personal")) === 1)
        continue;
      // A minute for those who wait for it.
      expect([key, await redis.client().pttl(key)]).toEqual([
        key,
        expect.toSatisfy((ms: number) => ms >= 0 && ms <= 60_000),
      ]);
    }
  });
});
