import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { OnboardingRecord } from "../../../producers/onboardings/onboarding-record.ts";
import { madeUpAadhaar, madeUpMobile } from "../../../simulator/people.ts";
import { ErrorCode } from "../../../src/base/error.ts";
import { CONSENT } from "../../support/client.ts";
import { startWorkerBundle, type WorkerBundle } from "../../support/worker.ts";

let bundle: WorkerBundle;
beforeAll(async () => {
  bundle = await startWorkerBundle({ simulator: { checkSenderReference: true }, env: { OTP_COOLDOWN: "1s" } });
  await bundle.startWorker();
});
afterAll(async () => await bundle[Symbol.asyncDispose]());

const WAIT = { timeoutMs: 60_000 };
const WAIT_POLL = { interval: 200 };
const awaits = ({ state }: OnboardingRecord): boolean => state !== "running";
let people = 100;

function person() {
  const index = people++;
  const [mobile, aadhaar] = [madeUpMobile(index), madeUpAadhaar(index)];
  const levin = { customer_id: mobile, aadhaar, name: "Asha Example", dob: "1990-01-31", residence_address: "1 Road" };
  return { mobile, aadhaar, levin, send: { mobile, csp_id: "agent-1" } };
}

async function codeOf(to: string): Promise<string> {
  return (await bundle.simulator.waitForOtp(to)).otp;
}

function mistyped(code: string): string {
  return `${code.slice(0, -1)}${(Number(code.at(-1)) + 1) % 10}`;
}

/** Calls of this person that the provider saw. */
function callsTo(operation: string, number: string): number {
  return bundle.simulator.outbox.filter((sent) => sent.operation === operation && sent.to === number).length;
}

describe("an onboarding", () => {
  it("goes through all steps of eko.dmt-levin, each with the newest reference, and waits for one person once", async () => {
    const { levin, aadhaar } = person();
    const { client } = bundle;
    // Nobody knows a number of this ending.
    const unknown = { ...levin, customer_id: madeUpMobile(people, "308") };
    const begun = await client.onboard("eko.dmt-levin", unknown, { id: `levin-${people}` });
    expect(begun).toMatchObject({ id: `levin-${people}`, state: "running", step: "sender" });
    const awaiting = await client.onboardings.waitUntil(begun.id, awaits, WAIT);
    expect(awaiting).toMatchObject({
      ...{ state: "awaiting_otp", step: "verify", job: `${begun.id}-aadhaar` },
      challenge: { state: "open", tries_left: 3, sends_left: 2 },
      steps: ["sender", "create", "aadhaar"].map((step) => ({ step, job: `${begun.id}-${step}` })),
    });
    const answer = await client.answer(begun.id, await codeOf(aadhaar));
    expect(answer).toEqual({ id: begun.id, answer: "begun", verify: `${begun.id}-aadhaar-v1` });
    const over = await client.onboardings.waitFor(begun.id, WAIT);
    expect(over).toMatchObject({ state: "succeeded", result: { verified: true }, challenge: null, reason: null });
    expect(await client.get(`${begun.id}-aadhaar-v1`)).toMatchObject({ lane: "interactive", state: "succeeded" });
    expect(callsTo("eko.dmt-levin.aadhaar-otp", aadhaar)).toBe(1);
  });

  it("leaves out the steps that a sender does not need", async () => {
    const { levin } = person();
    const { client } = bundle;
    const known = await client.onboard("eko.dmt-levin", levin);
    const awaiting = await client.onboardings.waitUntil(known.id, awaits, WAIT);
    expect(awaiting.steps.map(({ step }) => step)).toEqual(["sender", "aadhaar"]);
    const done = await client.onboard("eko.dmt-levin", { ...levin, customer_id: madeUpMobile(people, "309") });
    const over = await client.onboardings.waitFor(done.id, WAIT);
    expect(over).toMatchObject({ state: "succeeded", result: { registered: true } });
    expect(over.steps.map(({ step }) => step)).toEqual(["sender"]);
  });

  it.each([
    ["eko.mobile", () => person().send, (input: { mobile?: string }) => input.mobile],
    [
      "eko.aeps-fingpay",
      () => ({ customer_id: person().mobile, aadhaar: madeUpAadhaar(people), latlong: "28.6139,77.2090" }),
      (input: { aadhaar?: string }) => input.aadhaar,
    ],
    [
      "deepvue.aadhaar",
      () => ({ aadhaar: person().aadhaar, purpose: "ForKYC", consent: CONSENT }),
      (input: { aadhaar?: string }) => input.aadhaar,
    ],
  ] as const)("goes through %s", async (flow, input, to) => {
    const { client } = bundle;
    const raw = input();
    const { id } = await client.onboardings.beginUnchecked(flow, raw);
    const awaiting = await client.onboardings.waitUntil(id, awaits, WAIT);
    expect(awaiting).toMatchObject({ state: "awaiting_otp", reason: null });
    await client.answer(id, await codeOf(String(to(raw))));
    expect(await client.onboardings.waitFor(id, WAIT)).toMatchObject({ state: "succeeded" });
  });

  it("says that a verify's or another send's id names another job, instead of taking that for its own", async () => {
    const { send, mobile } = person();
    const { client } = bundle;
    const { id } = await client.onboard("eko.mobile", send, { id: `taken-${people}` });
    const other = { mobile: person().mobile, csp_id: "agent-1" };
    await client.submit("eko.mobile-otp", other, { id: `${id}-send-v1` });
    await client.submit("eko.mobile-otp", { ...other, mobile: person().mobile }, { id: `${id}-send-s2` });
    await client.onboardings.waitUntil(id, awaits, WAIT);
    const code = await codeOf(mobile);
    for (let again = 0; again < 2; again += 1)
      await expect(client.answer(id, code)).rejects.toMatchObject({ code: ErrorCode.ID_CONFLICT });
    await expect
      .poll(async () => await client.resend(id).catch((error: unknown) => (error as Error).message), WAIT_POLL)
      .toContain(`the id ${id}-send-s2 names another job`);
  });

  it("takes the same code twice as one, and leaves the other tries after a wrong one", async () => {
    const { send, mobile } = person();
    const { client } = bundle;
    const { id } = await client.onboard("eko.mobile", send);
    await client.onboardings.waitUntil(id, awaits, WAIT);
    const code = await codeOf(mobile);
    const wrong = await client.answer(id, mistyped(code));
    expect((await client.waitFor(wrong.verify ?? "", WAIT)).state).toBe("rejected");
    expect(await client.answer(id, mistyped(code))).toEqual({ ...wrong, answer: "same" });
    expect(await client.onboardings.get(id)).toMatchObject({ state: "awaiting_otp", challenge: { tries_left: 2 } });
    const [one, two] = await Promise.all([client.answer(id, code), client.answer(id, code)]);
    expect(one.verify).toBe(two.verify);
    expect(await client.onboardings.waitFor(id, WAIT)).toMatchObject({ state: "succeeded" });
    expect(await client.answer(id, code)).toEqual({ id, answer: "same", verify: one.verify });
    await expect(client.answer(id, "000000")).rejects.toMatchObject({ code: ErrorCode.BAD_INPUT });
  });

  it("is rejected when its tries are used up", async () => {
    const { send, mobile } = person();
    const { client } = bundle;
    const { id } = await client.onboard("eko.mobile", send);
    await client.onboardings.waitUntil(id, awaits, WAIT);
    let code = await codeOf(mobile);
    for (let tries = 0; tries < 3; tries++) {
      code = mistyped(code);
      const { verify } = await client.answer(id, code);
      await client.waitFor(verify ?? "", WAIT);
    }
    expect(await client.onboardings.waitFor(id, WAIT)).toMatchObject({ state: "rejected" });
    expect((await client.onboardings.get(id))?.reason).toMatch(/wrong/);
  });

  it("gets another OTP after the cooldown, whose code is the one that counts", async () => {
    const { send, mobile } = person();
    const { client } = bundle;
    const { id } = await client.onboard("eko.mobile", send);
    const awaiting = await client.onboardings.waitUntil(id, awaits, WAIT);
    await expect(client.resend(id)).rejects.toThrow(/before 2/);
    const first = await bundle.simulator.waitForOtp(mobile);
    const from = Date.parse(awaiting.challenge?.resend_from ?? "");
    await expect.poll(() => Date.now()).toBeGreaterThan(from + 50);
    const [one, two] = await Promise.all([client.resend(id), client.resend(id)]);
    expect([one.send, two.send]).toEqual([`${id}-send-s2`, `${id}-send-s2`]);
    const second = await bundle.simulator.waitForOtp(mobile, { after: first.seq });
    await client.onboardings.waitUntil(id, ({ state, job }) => state === "awaiting_otp" && job === one.send, WAIT);
    await client.answer(id, second.otp);
    expect(await client.onboardings.waitFor(id, WAIT)).toMatchObject({ state: "succeeded" });
    expect(callsTo("eko.mobile-otp", mobile)).toBe(2);
  });

  it("ends where somebody cancels it, and takes no code then", async () => {
    const { send } = person();
    const { client } = bundle;
    const { id } = await client.onboard("eko.mobile", send);
    await client.onboardings.waitUntil(id, awaits, WAIT);
    expect(await client.onboardings.cancel(id, { reason: "asked for by the customer" })).toMatchObject({
      ...{ state: "cancelled", reason: "asked for by the customer" },
    });
    await expect(client.answer(id, "123456")).rejects.toMatchObject({ code: ErrorCode.BAD_INPUT });
    await expect(client.onboardings.cancel(id, { reason: "again" })).rejects.toMatchObject({
      code: ErrorCode.BAD_INPUT,
    });
  });

  it("is one however often its id is given, and refuses another input under it", async () => {
    const { send } = person();
    const { client } = bundle;
    const [one, two] = await Promise.all(
      [1, 2].map(async () => await client.onboard("eko.mobile", send, { id: "twice" })),
    );
    expect([one?.duplicate, two?.duplicate].filter((mark) => mark === true)).toHaveLength(1);
    await expect(client.onboard("eko.mobile", person().send, { id: "twice" })).rejects.toMatchObject({
      code: ErrorCode.ID_CONFLICT,
    });
    await expect(client.onboard("eko.mobile", send, { id: "x".repeat(41) })).rejects.toThrow(/at most 40/);
    await expect(client.onboardings.beginUnchecked("eko.mobile", { mobile: "1" })).rejects.toMatchObject({
      code: ErrorCode.BAD_INPUT,
    });
    expect((await client.onboardings.list()).map(({ id }) => id)).toContain("twice");
  });
});

describe("the challenge of a single send", () => {
  it("is answered by the send's id", async () => {
    const { send, mobile } = person();
    const { client } = bundle;
    const { id } = await client.submit("eko.mobile-otp", send);
    await client.waitFor(id, WAIT);
    const { verify } = await client.answer(id, await codeOf(mobile));
    expect(verify).toBe(`${id}-v1`);
    expect((await client.waitFor(`${id}-v1`, WAIT)).state).toBe("succeeded");
    await expect(client.answer(id, "999999")).rejects.toThrow(/answered already/);
  });

  it("takes a code that comes before its OTP was sent, once it is", async () => {
    const { send, mobile } = person();
    const { client } = bundle;
    bundle.simulator.configure({ latencyMs: { min: 400, max: 500 } });
    try {
      const job = await client.submit("eko.mobile-otp", send);
      const onboarding = await client.onboard("eko.mobile", person().send);
      expect(await client.answer(job.id, "123456")).toEqual({ id: job.id, answer: "kept", verify: null });
      expect((await client.answer(onboarding.id, "123456")).answer).toBe("kept");
      expect((await client.waitFor(job.id, WAIT)).state).toBe("succeeded");
      const verified = async () => (await client.get(`${job.id}-v1`))?.state;
      await expect.poll(verified).toBe("rejected");
      const ofFlow = async () => (await client.get(`${onboarding.id}-send-v1`))?.state;
      await expect.poll(ofFlow).toBe("rejected");
      await client.answer(job.id, await codeOf(mobile));
      expect((await client.waitFor(`${job.id}-v2`, WAIT)).state).toBe("succeeded");
    } finally {
      bundle.simulator.configure({ latencyMs: { min: 0, max: 0 } });
    }
  });

  it("says why it takes no code", async () => {
    const { client } = bundle;
    await expect(client.answer("no-such", "123456")).rejects.toMatchObject({ code: ErrorCode.UNKNOWN_JOB });
    const lookup = await client.submit("eko.dmt-levin.sender", { customer_id: person().mobile });
    await client.waitFor(lookup.id, WAIT);
    await expect(client.answer(lookup.id, "123456")).rejects.toThrow(/sends no OTP/);
  });
});
