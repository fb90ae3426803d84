import { describe, expect, it } from "vitest";
import type { IfPending } from "../../../producers/jobs/open-challenges.ts";
import { madeUpMobile } from "../../../simulator/people.ts";
import { ErrorCode } from "../../../src/base/error.ts";
import { unpackJob } from "../../../src/records/stored-job.ts";
import { startClientBundle } from "../../support/client.ts";
import { keysIn } from "../../support/redis-content.ts";
import { newJob } from "../../src/records/journal-bundle.ts";
import { startWorkerBundle, type WorkerBundle } from "../../support/worker.ts";

function input(index: number) {
  return { mobile: madeUpMobile(index, "000"), csp_id: "agent1" };
}

async function send(bundle: WorkerBundle, index: number, id: string) {
  await bundle.client.submit("eko.mobile-otp", input(index), { id });
  const record = await bundle.client.waitFor(id);
  expect(record.state).toBe("succeeded");
  return record;
}

describe("submit with ifPending reuse", () => {
  it("gives the job of an open OTP to the same person back, and submits nothing", async () => {
    await using bundle = await startWorkerBundle();
    await bundle.startWorker();
    const sent = await send(bundle, 1, "first");
    const again = await bundle.client.submit("eko.mobile-otp", input(1), { id: "second", ifPending: "reuse" });
    expect(again).toEqual({ ...sent, reused: true });
    expect(await bundle.client.get("second")).toBeNull();
    expect(bundle.simulator.requests).toHaveLength(1);
  });

  it("submits where the person has no open OTP of that operation, or it has run out", async () => {
    await using bundle = await startWorkerBundle({ simulator: { otpTtlMs: 1_500 } });
    await bundle.startWorker();
    const sent = await send(bundle, 1, "first");
    const until = Date.parse(String(sent.result?.["otp_valid_until"]));
    const other = await bundle.client.submit("eko.mobile-otp", input(2), { ifPending: "reuse" });
    expect(other).not.toHaveProperty("reused");
    await expect.poll(() => Date.now()).toBeGreaterThan(until);
    const late = await bundle.client.submit("eko.mobile-otp", input(1), { ifPending: "reuse" });
    expect(late).toMatchObject({ state: "queued" });
    expect(late).not.toHaveProperty("reused");
  });

  it("submits once the OTP was answered, and not after an answer that was wrong", async () => {
    await using bundle = await startWorkerBundle({ env: { OTP_COOLDOWN: "0s" } });
    await bundle.startWorker();
    const sent = await send(bundle, 1, "first");
    const { otp } = await bundle.simulator.waitForOtp(input(1).mobile);
    const verify = async (code: string): Promise<string> => {
      const { id } = await bundle.client.submit("eko.mobile-otp.verify", { of: sent.id, otp: code });
      return (await bundle.client.waitFor(id)).state;
    };
    const again = async () => await bundle.client.submit("eko.mobile-otp", input(1), { ifPending: "reuse" });
    expect(await verify(otp === "000000" ? "111111" : "000000")).toBe("rejected");
    expect(await again()).toMatchObject({ id: "first", reused: true });
    expect(await verify(otp)).toBe("succeeded");
    const fresh = await again();
    expect(fresh).not.toHaveProperty("reused");
    expect((await bundle.client.waitFor(fresh.id)).state).toBe("succeeded");
    // Its OTP is open now, not that which was answered.
    expect(await again()).toMatchObject({ id: fresh.id, reused: true });
  });

  it("gives the first job of an own id back, marked as a duplicate, before it looks for an open OTP", async () => {
    await using bundle = await startWorkerBundle();
    await bundle.startWorker();
    await send(bundle, 1, "first");
    const same = await bundle.client.submit("eko.mobile-otp", input(1), { id: "first", ifPending: "reuse" });
    expect(same).toMatchObject({ id: "first", duplicate: true });
    expect(same).not.toHaveProperty("reused");
    await bundle.client.submit("eko.mobile-otp", input(2), { id: "other" });
    const conflict = bundle.client.submit("eko.mobile-otp", input(1), { id: "other", ifPending: "reuse" });
    await expect(conflict).rejects.toMatchObject({ code: ErrorCode.ID_CONFLICT });
  });

  it("answers for many in their order, and submits only the new ones", async () => {
    await using bundle = await startWorkerBundle();
    await bundle.startWorker();
    await send(bundle, 2, "second");
    const records = await bundle.client.submitMany("eko.mobile-otp", [1, 2, 3].map(input), {
      id: "row",
      ifPending: "reuse",
    });
    expect(records.map(({ id, reused }) => [id, reused])).toEqual([
      ["row-1", undefined],
      ["second", true],
      ["row-3", undefined],
    ]);
    for (const { id } of records) await bundle.client.waitFor(id);
    expect(bundle.simulator.requests).toHaveLength(3);
  });

  it("gives later inputs for the same person the job of the first", async () => {
    await using bundle = await startWorkerBundle();
    const options = { id: "row", ifPending: "reuse" } as const;
    const records = await bundle.client.submitMany("eko.mobile-otp", [1, 2, 1, 1].map(input), options);
    expect(records.map(({ id, reused }) => [id, reused])).toEqual([
      ["row-1", undefined],
      ["row-2", undefined],
      ["row-1", true],
      ["row-1", true],
    ]);
    expect(await bundle.client.get("row-3")).toBeNull();
    const again = await bundle.client.submitMany("eko.mobile-otp", [1, 2, 1, 1].map(input), options);
    expect(again.map(({ id }) => id)).toEqual(["row-1", "row-2", "row-1", "row-1"]);
  });

  it.each(["queued", "active", "waiting"] as const)(
    "gives the earlier send back while that is %s, and submits nothing",
    async (state) => {
      await using bundle = await startClientBundle();
      const { client } = bundle;
      await client.submit("eko.mobile-otp", input(1), { id: "first" });
      if (state !== "queued") await bundle.begin("first", "eko");
      if (state === "waiting") await bundle.finish("first", "eko", "waiting");
      const before = await client.get("first");
      expect(before?.state).toBe(state);
      const [other, again] = await client.submitMany("eko.mobile-otp", [2, 1].map(input), {
        id: "row",
        ifPending: "reuse",
      });
      expect(other).toMatchObject({ id: "row-1", state: "queued" });
      expect(again).toEqual({ ...before, reused: true });
      expect(await client.get("row-2")).toBeNull();
      expect((await keysIn(bundle.redis)).filter((key) => key.includes("row-2"))).toEqual([]);
    },
  );

  it("submits after an earlier send that ended without an OTP, and counts one that is decided to be sent again", async () => {
    await using bundle = await startClientBundle();
    const { client } = bundle;
    const again = async (): Promise<string> =>
      (await client.submit("eko.mobile-otp", input(1), { ifPending: "reuse" })).id;
    await client.submit("eko.mobile-otp", input(1), { id: "first" });
    await bundle.begin("first", "eko");
    await bundle.finish("first", "eko", "unknown");
    await client.settle("first", "resend", { reason: "no SMS came" });
    expect(await again()).toBe("first");
    await bundle.begin("first", "eko", "ref-2");
    await bundle.finish("first", "eko", "failed");
    await client.failed.retry({});
    expect(await again()).toBe("first");
    await bundle.begin("first", "eko", "ref-3");
    await bundle.finish("first", "eko", "rejected");
    const second = await again();
    expect(second).not.toBe("first");
    await bundle.begin(second, "eko");
    await bundle.finish(second, "eko", "rejected");
    // Nothing is kept of the person for it.
    expect((await keysIn(bundle.redis)).filter((key) => key.includes(":asked:"))).toEqual([]);
  });

  it("does not take a send of another operation for it, though it is for the same person", async () => {
    await using bundle = await startClientBundle();
    const mobile = madeUpMobile(1, "000");
    await bundle.client.submit("eko.mobile-otp", { mobile, csp_id: "agent1" }, { id: "first" });
    expect(await bundle.records.openSends("{eko-0}", [])).toEqual([]);
    const job = newJob({ id: "other", operation: "eko.other", subject: "s".repeat(22) });
    const same = { ...job, id: "third" };
    expect(await bundle.records.create("{eko-0}", [job], [[]])).toEqual(["created"]);
    expect(await bundle.records.create("{eko-0}", [{ ...same, operation: "eko.mobile-otp" }], [[]])).toEqual([
      "created",
    ]);
    expect(await bundle.records.create("{eko-0}", [{ ...same, id: "fourth" }], [[]])).toEqual(["pending other"]);
    expect(await bundle.records.openSends("{eko-0}", [job.subject ?? ""])).toEqual([["third", "other"]]);
  });

  it("lets one of many at the same instant through", async () => {
    await using bundle = await startClientBundle();
    const clients = Array.from({ length: 4 }, () => bundle.newClient());
    const records = await Promise.all(
      [...clients, ...clients].map(
        async (client) => await client.submit("eko.mobile-otp", input(1), { ifPending: "reuse" }),
      ),
    );
    expect(new Set(records.map(({ id }) => id)).size).toBe(1);
    expect(records.filter(({ reused }) => reused === true)).toHaveLength(7);
    expect(await bundle.queued("eko")).toEqual([records[0]?.id]);
  });

  it("creates none where an OTP went out since somebody looked", async () => {
    await using bundle = await startClientBundle();
    await bundle.client.submit("eko.mobile-otp", input(1), { id: "first" });
    await bundle.begin("first", "eko");
    await bundle.finish("first", "eko", "succeeded", { result: { otp_sent: true } });
    const { subject } = unpackJob((await bundle.records.fields("{eko-0}", "first"))?.["job"] ?? "");
    await bundle.redis.client().set(`satyapan:{eko-0}:sent:${subject}`, `${Date.now()} first`);
    const create = async (id: string, judged: readonly string[]) =>
      await bundle.records.create("{eko-0}", [newJob({ id, subject })], [judged]);
    expect(await create("second", ["another"])).toEqual(["pending first"]);
    expect(await create("second", ["another", "first"])).toEqual(["created"]);
  });

  it("accepts no two for one person in one submission, unless it is told what to do", async () => {
    await using bundle = await startWorkerBundle();
    const twice = [1, 2, 1, 2, 3].map(input);
    await expect(bundle.client.submitMany("eko.mobile-otp", twice, { id: "row" })).rejects.toMatchObject({
      code: ErrorCode.SAME_PERSON,
      message: expect.stringMatching(
        /^rows 1 and 3, rows 2 and 4 are for one person each, so none was submitted/,
      ) as string,
      groups: [
        [0, 2],
        [1, 3],
      ],
    });
    expect(await bundle.client.get("row-1")).toBeNull();
    const both = await bundle.client.submitMany("eko.mobile-otp", twice, { id: "row", ifPending: "wait" });
    expect(new Set(both.map(({ id }) => id)).size).toBe(5);
    const read = Array.from({ length: 2 }, () => ({ customer_id: madeUpMobile(1) }));
    expect(await bundle.client.submitMany("eko.dmt-levin.sender", read)).toHaveLength(2);
  });

  it("waits by default: the second OTP of a person comes after the cooldown", async () => {
    await using bundle = await startWorkerBundle({ env: { OTP_COOLDOWN: "1500ms" } });
    await bundle.startWorker();
    await send(bundle, 1, "first");
    await send(bundle, 1, "second");
    const [first, second] = bundle.simulator.requests;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(1_490);
  });

  it("is refused for what sends no OTP, and where it is no choice", async () => {
    await using bundle = await startWorkerBundle();
    const read = bundle.client.submit("eko.dmt-levin.sender", { customer_id: madeUpMobile(1) }, { ifPending: "reuse" });
    await expect(read).rejects.toMatchObject({
      code: ErrorCode.BAD_INPUT,
      message: "ifPending: eko.dmt-levin.sender sends no OTP, so there is none to reuse",
    });
    const odd = bundle.client.submit("eko.mobile-otp", input(1), { ifPending: "never" as IfPending });
    await expect(odd).rejects.toMatchObject({ message: "ifPending: must be wait or reuse" });
  });
});

describe("a verify", () => {
  it("inherits the deadline of its OTP, unless its caller gave an earlier one", async () => {
    await using bundle = await startWorkerBundle();
    const worker = await bundle.startWorker();
    const sent = await send(bundle, 1, "first");
    await worker.stop();
    const until = new Date(String(sent.result?.["otp_valid_until"])).toISOString();
    const verify = { of: sent.id, otp: "123456" };
    const expiry = async (expiresIn?: string): Promise<string | null> =>
      (await bundle.client.submit("eko.mobile-otp.verify", verify, expiresIn === undefined ? {} : { expiresIn }))
        .expires_at;
    expect(await expiry()).toBe(until);
    expect(await expiry("2h")).toBe(until);
    const early = Date.parse((await expiry("1m")) ?? "");
    expect(early).toBeLessThanOrEqual(Date.now() + 60_000);
  });

  it("is never called once its OTP has run out", async () => {
    await using bundle = await startWorkerBundle({ simulator: { otpTtlMs: 1_000 } });
    const worker = await bundle.startWorker();
    const sent = await send(bundle, 1, "first");
    await worker.stop();
    const { id, expires_at } = await bundle.client.submit("eko.mobile-otp.verify", { of: sent.id, otp: "123456" });
    await expect.poll(() => Date.now()).toBeGreaterThan(Date.parse(expires_at ?? ""));
    await bundle.startWorker();
    expect(await bundle.client.waitFor(id)).toMatchObject({ state: "expired", attempts: [] });
    expect(bundle.simulator.requests).toHaveLength(1);
  });
});
