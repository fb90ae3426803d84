import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { madeUpMobile } from "../../../simulator/people.ts";
import { GateControl } from "../../../src/limits/control.ts";
import { queuePrefix, queueOf } from "../../../src/queues/names.ts";
import {
  AADHAAR_INPUT,
  CONSENT,
  type ClientBundle,
  MOBILE,
  MOBILE_INPUT,
  startClientBundle,
  testKeys,
} from "../../support/client.ts";
import { satyapan } from "../../support/command.ts";
import { locateJob } from "../../../producers/jobs/locate-job.ts";
import { makeTempDir } from "../../support/temp-dir.ts";
import { startWorkerBundle } from "../../support/worker.ts";

const VERIFY_INPUT = { reference_id: "12345678", otp: "123456", purpose: AADHAAR_INPUT.purpose, consent: CONSENT };
const EKO = queueOf("eko");

function mobileInput(person: number) {
  return { mobile: madeUpMobile(person, "000"), csp_id: madeUpMobile(900) };
}

describe("explain without a worker", () => {
  const keys = testKeys();
  let bundle: ClientBundle;
  beforeAll(async () => void (bundle = await startClientBundle(keys)));
  afterAll(async () => await bundle[Symbol.asyncDispose]());

  it("says that none is running, how many are ahead, and the same in a command, as text and as JSON", async () => {
    await using dir = await makeTempDir();
    await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "order-1" });
    await bundle.client.submit("eko.mobile-otp", mobileInput(2), { id: "order-2" });
    await bundle.client.submit("eko.mobile-otp", mobileInput(3), { id: "bulk-1", lane: "bulk" });
    await bundle.client.submit("eko.mobile-otp", mobileInput(4), { id: "bulk-2", lane: "bulk" });
    const ahead = async (id: string) => (await bundle.client.explain(id))?.ahead;
    expect(await Promise.all(["order-1", "order-2", "bulk-1", "bulk-2"].map(ahead))).toEqual([0, 1, 2, 3]);
    const explanation = await bundle.client.explain("order-1");
    expect(explanation).toMatchObject({ id: "order-1", state: "queued", cause: "no-worker", next_attempt_at: null });
    expect(explanation?.since).toBe((await bundle.client.get("order-1"))?.created_at);

    const place = { cwd: dir.path, env: { ...keys, REDIS_URL: bundle.redis.url } };
    const text = await satyapan(["explain", "order-1"], place);
    expect(text).toMatchObject({ code: 0, stderr: "" });
    expect(text.stdout).toMatch(/^cause +no-worker$/m);
    expect(text.stdout).toMatch(
      /^No worker is running for this provider: start one that has its settings with `satyapan worker`\.$/m,
    );
    const json = await satyapan(["explain", "order-1", "--json"], place);
    expect(JSON.parse(json.stdout)).toEqual(explanation);
    expect(text.stdout + json.stdout).not.toContain(MOBILE);
    const none = await satyapan(["explain", "order-9"], place);
    expect(none).toMatchObject({ code: 2, stdout: "" });
    expect(none.stderr).toBe("satyapan: there is no job order-9, or its record is past its retention\n");
  });

  it("finds a verify before the sends of its lane, where it will be taken", async () => {
    await bundle.client.submit("deepvue.aadhaar-otp", AADHAAR_INPUT, { id: "send-1" });
    await bundle.client.submit("deepvue.aadhaar-otp.verify", VERIFY_INPUT, { id: "verify-1" });
    expect((await bundle.client.explain("verify-1"))?.ahead).toBe(0);
    expect((await bundle.client.explain("send-1"))?.ahead).toBe(1);
  });

  it("finds a job whose producer died before it was queued, and one that is being called", async () => {
    await bundle.recordOnly("lost-1", "eko.mobile-otp", mobileInput(5));
    expect(await bundle.client.explain("lost-1")).toMatchObject({ state: "queued", cause: "not-queued" });
    await bundle.begin("order-2", "eko");
    expect(await bundle.client.explain("order-2")).toMatchObject({ state: "active", cause: "no-worker" });
    await bundle.finish("order-2", "eko", "succeeded");
    const ended = await bundle.client.explain("order-2");
    expect(ended).toMatchObject({ state: "succeeded", cause: null });
    expect(ended?.text).toMatch(/^Succeeded at /);
    expect(await bundle.client.explain("order-9")).toBeNull();
  });

  it("tells bulk jobs that a lost worker had in hand, which lie before all others, from interactive ones", async () => {
    const redis = bundle.redis.client();
    const ids = ["astray-1", "astray-2"];
    for (const [nth, id] of ids.entries()) {
      await bundle.client.submit("eko.mobile-otp", mobileInput(20 + nth), { id, lane: "bulk" });
    }
    const ticket = "t-12b-astray";
    // As BullMQ puts back what is stalled: at the end that is taken from, whatever its priority.
    await redis.zrem(`bull:${EKO}:prioritized`, ...ids.map((id) => `j-${id}`));
    await redis.rpush(`bull:${EKO}:wait`, "j-astray-2", ticket, "j-astray-1");
    const place = { kind: "lane", interactive: 0, isFirstCome: true };
    expect((await locateJob(redis, EKO, "astray-1"))?.place).toEqual({ ...place, bulk: 0, exact: true });
    expect((await locateJob(redis, EKO, "astray-2"))?.place).toEqual({ ...place, bulk: 13, exact: false });
    await redis.rpush(`bull:${EKO}:wait`, "j-order-1");
    expect((await locateJob(redis, EKO, "astray-2"))?.place).toMatchObject({ interactive: 1, bulk: 13 });
    await redis.lrem(`bull:${EKO}:wait`, -1, "j-order-1");
    for (const entry of [ticket, "j-astray-1", "j-astray-2"]) await redis.lrem(`bull:${EKO}:wait`, 1, entry);
  });

  it("does not look through a line of a hundred thousand", async () => {
    const redis = bundle.redis.client();
    await bundle.client.submit("eko.mobile-otp", mobileInput(6), { id: "far-back" });
    const others = Array.from({ length: 100_000 }, (_, n) => `j-other-${n}`);
    // Jobs are taken from the tail.
    for (let from = 0; from < others.length; from += 10_000) {
      await redis.rpush(`bull:${EKO}:wait`, ...others.slice(from, from + 10_000));
    }
    const explanation = await bundle.client.explain("far-back");
    expect(explanation?.ahead).toBeNull();
    await redis.ltrim(`bull:${EKO}:wait`, 0, -90_001);
    await redis.rpush(`bull:${EKO}:wait`, "j-late");
    expect((await bundle.client.explain("far-back"))?.ahead).toBeNull();
    await redis.ltrim(`bull:${EKO}:wait`, 0, -5_001);
    expect((await bundle.client.explain("far-back"))?.ahead).toBeGreaterThanOrEqual(5_001);
  });
});

describe("explain while workers run", () => {
  it("says that the quota's window is full, and when a later job has its turn", async () => {
    await using bundle = await startWorkerBundle();
    await bundle.startWorker();
    const { client } = bundle;
    const redis = bundle.redis.client();
    const quota = [
      { max: 1, ms: 10_000 },
      { max: 100, ms: 3_600_000 },
    ];
    await new GateControl(redis).setQuota(EKO, quota);
    const calledAt = Date.now();
    await redis.lpush(`${queuePrefix(EKO)}permits`, calledAt);
    const freeAt = calledAt + 10_000;
    const second = await client.submit("eko.mobile-otp", mobileInput(2));
    await expect.poll(async () => (await client.get(second.id))?.state).toBe("waiting");
    const third = await client.submit("eko.mobile-otp", mobileInput(3));
    await expect.poll(async () => (await client.explain(second.id))?.text).toContain("the next in line");
    const next = await client.explain(second.id);
    expect(next).toMatchObject({
      cause: "quota",
      next_attempt_at: new Date(freeAt).toISOString(),
      estimated: false,
      ahead: 0,
    });
    expect(next?.text).toMatch(/Quota: 1\/10s is used up \(1 of 1\), .*; it has room again at /);
    const later = await client.explain(third.id);
    expect(later).toMatchObject({ cause: "quota", estimated: true, ahead: 1 });
    expect(Date.parse(later?.next_attempt_at ?? "") - freeAt).toBe(10_000);
  });

  it("says that a refused credential is held, and until when", async () => {
    await using bundle = await startWorkerBundle({ env: { HOLD_PROBE: "10m" } });
    const { eko } = bundle.settings;
    if (eko === null) throw new Error("no settings of Eko");
    bundle.simulator.configure({ signatureToleranceMs: 0 });
    await bundle.startWorker();
    const { id } = await bundle.client.submit("eko.mobile-otp", mobileInput(1));
    await expect.poll(async () => (await bundle.client.get(id))?.state).toBe("waiting");
    const { hold_probe: probe } = await bundle.redis.client().hgetall(`${queuePrefix(EKO)}control`);
    await expect.poll(async () => (await bundle.client.explain(id))?.ahead).toBe(0);
    const explanation = await bundle.client.explain(id);
    expect(explanation).toMatchObject({
      state: "waiting",
      cause: "held",
      next_attempt_at: new Date(Number(probe)).toISOString(),
    });
    expect(explanation?.text).toContain("`satyapan provider resume eko`");
  });

  it("says that a person's cooldown keeps the second job, and until when", async () => {
    await using bundle = await startWorkerBundle();
    await bundle.startWorker();
    const { id } = await bundle.client.submit("eko.mobile-otp", mobileInput(1));
    const sent = await bundle.client.waitFor(id);
    const again = await bundle.client.submit("eko.mobile-otp", mobileInput(1));
    await expect.poll(async () => (await bundle.client.get(again.id))?.state).toBe("waiting");
    const explanation = await bundle.client.explain(again.id);
    expect(explanation).toMatchObject({ cause: "cooldown", estimated: false, ahead: null });
    const wait = Date.parse(explanation?.next_attempt_at ?? "") - Date.parse(sent.attempts[0]?.started_at ?? "");
    // It is counted from when the call arrives at the latest, not from when it began.
    expect(wait).toBeGreaterThanOrEqual(60_000);
    expect(wait).toBeLessThan(61_000);
  });
});
