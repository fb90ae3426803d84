import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Challenges } from "../../../src/challenges/challenges.ts";
import { Engine } from "../../../src/flows/engine.ts";
import { onboardingKey, OnboardingStore } from "../../../src/flows/onboarding-store.ts";
import type { Result } from "../../../src/outcomes/outcome.ts";
import { JobQueues } from "../../../src/queues/job-queues.ts";
import { queueOf } from "../../../src/queues/names.ts";
import { AADHAAR, type ClientBundle, MOBILE, startClientBundle } from "../../support/client.ts";
import { Killed, Mortal } from "../../support/mortal.ts";

const QUEUE = queueOf("eko");
const PERSON = { customer_id: MOBILE, aadhaar: AADHAAR, name: "Asha", dob: "1990-01-31", residence_address: "1 Road" };

/** What the provider says at each step: the reply to `create` has no reference, so that the look-up gives it. */
const REPLIES: Readonly<Record<string, Result>> = {
  sender: { registered: false, next_step: "create" },
  create: { created: true, next_step: "aadhaar" },
  "sender-again": { registered: false, next_step: "aadhaar", otp_ref_id: "newest-1" },
  aadhaar: { otp_sent: true, otp_ref_id: "newest-2" },
  "aadhaar-v1": { verified: true, next_step: null },
};

let bundle: ClientBundle;
let count = 0;
beforeAll(async () => {
  bundle = await startClientBundle();
});
afterAll(async () => await bundle[Symbol.asyncDispose]());

/** A worker's engine, in a process that may be killed. */
function engineOf(mortal: Mortal, other: Partial<OnboardingStore> = {}): Engine {
  const { settings, dataKeys } = bundle;
  const redis = bundle.redis.client();
  const queues = mortal.wrap(new JobQueues(redis, Date.now), ["add"]);
  const records = mortal.wrap(bundle.records, ["create", "abandon"]);
  const onboardings = Object.assign(
    mortal.wrap(new OnboardingStore(redis, settings.retention), ["move", "lookAt"]),
    other,
  );
  const deps = { redis, records, queues, dataKeys, settings, subjectKey: settings.subjectKey, cooldownMs: 0 };
  const challenges = new Challenges({ ...deps, now: Date.now });
  const isHeld = async () => await Promise.resolve(false);
  return new Engine({ ...deps, now: Date.now, onboardings, challenges, isHeld });
}

function challengesOf(): Challenges {
  const { settings, dataKeys, records } = bundle;
  const redis = bundle.redis.client();
  const queues = new JobQueues(redis, Date.now);
  const deps = { redis, records, queues, dataKeys, settings, subjectKey: settings.subjectKey, cooldownMs: 0 };
  return new Challenges({ ...deps, now: Date.now });
}

/** Takes every job that is queued and was not, once; tells its step, and the reference that it was given. */
async function playWorker(id: string, called: string[], references: unknown[]): Promise<void> {
  const queued = (await bundle.queued("eko")).filter((job) => job.startsWith(`${id}-`));
  expect(queued).toEqual([...new Set(queued)]);
  for (const job of queued) {
    const step = job.slice(id.length + 1);
    if (called.includes(step)) continue;
    called.push(step);
    references.push((await bundle.client.reveal(job, { reason: "a test" })).input?.["otp_ref_id"]);
    await bundle.begin(job, "eko", `r${count++}`);
    await bundle.finish(job, "eko", "succeeded", { result: REPLIES[step] ?? null });
  }
}

/** From its beginning to its end, with a process that is killed at its n-th moment and one that goes on. */
async function onboard(
  killedAt: number,
): Promise<{ moments: number; called: string[]; references: unknown[]; id: string }> {
  const id = `kill-${count++}`;
  const { client } = bundle;
  await client.onboard("eko.dmt-levin", PERSON, { id });
  const mortal = new Mortal(killedAt);
  let engine = engineOf(mortal);
  const called: string[] = [];
  const references: unknown[] = [];
  for (let rounds = 0; rounds < 20; rounds++) {
    try {
      await engine.advance(QUEUE, id);
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      // Whoever comes after finds it, whatever was told of it.
      const due = await bundle.redis.client().zscore(`satyapan:${QUEUE}:onboardings:due`, id);
      expect(due === null ? (await client.onboardings.get(id))?.state : "due").toMatch(/due|succeeded/);
      engine = engineOf(new Mortal());
      continue;
    }
    await playWorker(id, called, references);
    const record = await client.onboardings.get(id);
    if (record?.state === "succeeded") break;
    if (record?.state === "awaiting_otp") await client.answer(id, "123456");
  }
  return { moments: mortal.moments, called, references, id };
}

describe("the engine of onboardings", () => {
  it("makes each step once, whichever of its writes it is killed before or after", async () => {
    const steps = ["sender", "create", "sender-again", "aadhaar", "aadhaar-v1"];
    const { moments, called, references } = await onboard(Infinity);
    expect(called).toEqual(steps);
    expect(references).toEqual([undefined, undefined, undefined, "newest-1", "newest-2"]);
    expect(moments).toBeGreaterThan(20);
    for (let killedAt = 1; killedAt <= moments; killedAt++) {
      const killed = await onboard(killedAt);
      expect(killed.called, `killed at moment ${killedAt}`).toEqual(steps);
      expect(await bundle.client.onboardings.get(killed.id)).toMatchObject({ state: "succeeded" });
    }
  });

  it("ends no onboarding whose person gave another code meanwhile, and takes none after its end", async () => {
    const { client, settings } = bundle;
    const id = `raced-${count++}`;
    await client.onboard("eko.mobile", { mobile: MOBILE, csp_id: MOBILE }, { id });
    const store = new OnboardingStore(bundle.redis.client(), settings.retention);
    let isGiven = false;
    const engine = engineOf(new Mortal(), {
      async move(queue, from, to, now) {
        if (to.state === "rejected" && !isGiven) {
          isGiven = true;
          await client.answer(id, "222222");
        }
        return await store.move(queue, from, to, now);
      },
    });
    await engine.advance(QUEUE, id);
    await bundle.begin(`${id}-send`, "eko", `r${count++}`);
    await bundle.finish(`${id}-send`, "eko", "succeeded", { result: { otp_sent: true } });
    await engine.advance(QUEUE, id);
    await client.answer(id, "111111");
    await bundle.begin(`${id}-send-v1`, "eko", `r${count++}`);
    await bundle.finish(`${id}-send-v1`, "eko", "rejected", { reason: "a no to the person" });
    await engine.advance(QUEUE, id);
    expect([isGiven, (await client.onboardings.get(id))?.state]).toEqual([true, "awaiting_otp"]);
    await bundle.begin(`${id}-send-v2`, "eko", `r${count++}`);
    await bundle.finish(`${id}-send-v2`, "eko", "rejected", { reason: "a no to the person" });
    // Whoever answers has read that a code is awaited.
    const onboarding = await store.get(QUEUE, id);
    if (onboarding === null) throw new Error("it is gone");
    await engine.advance(QUEUE, id);
    expect(await client.onboardings.get(id)).toMatchObject({ state: "rejected" });
    const late = challengesOf().answer(QUEUE, onboarding.job, "333333", "test", async () => {
      return await engine.planVerify(QUEUE, onboarding);
    });
    await expect(late).rejects.toThrow(/awaits no code: it is rejected|no longer kept/);
    expect(await client.get(`${id}-send-v3`)).toBeNull();
  });

  it("queues a verify that was recorded by somebody who was killed before it could be queued", async () => {
    const { client } = bundle;
    const id = `unqueued-${count++}`;
    await client.onboard("eko.mobile", { mobile: MOBILE, csp_id: MOBILE }, { id });
    const engine = engineOf(new Mortal());
    await engine.advance(QUEUE, id);
    await bundle.begin(`${id}-send`, "eko", `r${count++}`);
    await bundle.finish(`${id}-send`, "eko", "succeeded", { result: { otp_sent: true } });
    await engine.advance(QUEUE, id);
    await client.answer(id, "111111");
    const redis = bundle.redis.client();
    await redis.del(`bull:${QUEUE}:j-${id}-send-v1`);
    await redis.lrem(`bull:${QUEUE}:wait`, 0, `j-${id}-send-v1`);
    expect(await bundle.queued("eko")).not.toContain(`${id}-send-v1`);
    await engine.advance(QUEUE, id);
    expect(await bundle.queued("eko")).toContain(`${id}-send-v1`);
  });

  it("stops where its step did, and goes on where that is settled", async () => {
    const { client } = bundle;
    const engine = engineOf(new Mortal());
    const id = `unknown-${count++}`;
    await client.onboard("eko.dmt-levin", PERSON, { id });
    await engine.advance(QUEUE, id);
    await bundle.begin(`${id}-sender`, "eko", `r${count++}`);
    await bundle.finish(`${id}-sender`, "eko", "unknown", { reason: "its reply was lost" });
    await engine.advance(QUEUE, id);
    expect(await client.onboardings.get(id)).toMatchObject({ state: "unknown", reason: "its reply was lost" });
    await client.settle(`${id}-sender`, "resend", { reason: "a read" });
    await engine.advance(QUEUE, id);
    expect(await client.onboardings.get(id)).toMatchObject({ state: "running", reason: null });
    await bundle.begin(`${id}-sender`, "eko", `r${count++}`);
    await bundle.finish(`${id}-sender`, "eko", "rejected", { reason: "no such customer" });
    await engine.advance(QUEUE, id);
    expect(await client.onboardings.get(id)).toMatchObject({ state: "rejected", reason: "no such customer" });
  });

  it("can only cancel one of a flow that another version knows, and over no call that is under way", async () => {
    const { client, redis } = bundle;
    const engine = engineOf(new Mortal());
    const begin = async (): Promise<string> => {
      const id = `strange-${count++}`;
      await client.onboard("eko.mobile", { mobile: MOBILE, csp_id: MOBILE }, { id });
      await engine.advance(QUEUE, id);
      const key = onboardingKey(QUEUE, id);
      const terms = (await redis.client().hget(key, "terms")) ?? "";
      await redis.client().hset(key, "terms", terms.replace("eko.mobile", "eko.next"));
      await expect(engine.advance(QUEUE, id)).rejects.toThrow("unknown flow eko.next");
      return id;
    };
    const [waits, called] = [await begin(), await begin()];
    await bundle.begin(`${called}-send`, "eko", `r${count++}`);
    for (const id of [waits, called]) await client.onboardings.cancel(id, { reason: "nobody goes on" });
    expect(await client.get(`${waits}-send`)).toMatchObject({ state: "cancelled" });
    await engine.advance(QUEUE, waits);
    expect(await client.onboardings.get(waits)).toMatchObject({ state: "cancelled", reason: "nobody goes on" });
    await engine.advance(QUEUE, called);
    expect(await client.onboardings.get(called)).toMatchObject({ state: "running" });
    await bundle.finish(`${called}-send`, "eko", "succeeded", { result: { otp_sent: true } });
    await engine.advance(QUEUE, called);
    expect(await client.onboardings.get(called)).toMatchObject({ state: "cancelled" });
  });

  it("tells the batch that it is a row of, at each change of its state", async () => {
    const redis = bundle.redis.client();
    const store = new OnboardingStore(redis, bundle.settings.retention);
    const { client } = bundle;
    await client.onboard("eko.dmt-levin", PERSON, { id: "row-1" });
    const whole = await store.get(QUEUE, "row-1");
    if (whole === null) throw new Error("it was not begun");
    await redis.hset(`satyapan:${QUEUE}:onboarding:row-1`, "parent", "b:tuesday:1");
    await redis.del(`satyapan:${QUEUE}:parents`);
    await store.move(QUEUE, whole, { ...whole, state: "failed", lookAt: 0 }, Date.now());
    expect(await store.move(QUEUE, whole, { ...whole, state: "failed", lookAt: 0 }, Date.now())).toBe("moved");
    const told = await redis.xrange(`satyapan:${QUEUE}:parents`, "-", "+");
    expect(told.map(([, [, text]]) => text)).toEqual(["row-1 failed b:tuesday:1"]);
  });
});
