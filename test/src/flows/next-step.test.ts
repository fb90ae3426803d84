import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Challenge } from "../../../src/challenges/challenge.ts";
import { findFlow, FLOWS } from "../../../src/flows/flows.ts";
import { nextStep, type SeenFacts, type SeenJob } from "../../../src/flows/next-step.ts";
import { isFinal, type Onboarding, ONBOARDING_STATES } from "../../../src/flows/onboarding.ts";
import type { Result } from "../../../src/outcomes/outcome.ts";
import { JOB_STATES } from "../../../src/outcomes/state.ts";

const NOW = 1_800_000_000_000;
const LEVIN = findFlow("eko.dmt-levin");
const OPEN: Challenge = {
  ...{ state: "open", deadline: NOW + 60_000, triesLeft: 3, sendsLeft: 2, resendFrom: NOW, verify: null },
};

function onboarding(given: Partial<Onboarding> = {}): Onboarding {
  return {
    ...{
      id: "x",
      flow: "eko.dmt-levin",
      lane: "bulk",
      createdAt: NOW,
      expiresAt: null,
      subjects: [],
      state: "running",
    },
    ...{ step: "sender", job: "x-sender", done: [], reason: null, result: null, updatedAt: NOW, cancel: null },
    ...{ parent: null, input: "{}", ...given },
  };
}

function job(given: Partial<SeenJob> = {}): SeenJob {
  return { id: "x-sender", state: "succeeded", reason: null, result: null, replacedBy: null, ...given };
}

function seen(given: Partial<SeenFacts> = {}): SeenFacts {
  return { now: NOW, job: job(), challenge: null, verify: null, hasEarlyCode: false, ...given };
}

const after = (step: string, result: Result) =>
  nextStep(LEVIN, onboarding({ step, job: `x-${step}` }), seen({ job: job({ id: `x-${step}`, result }) }));

describe("the step that follows in eko.dmt-levin", () => {
  it.each([
    ["sender", { next_step: "create" }, { state: "running", step: "create", job: "x-create" }],
    ["sender", { next_step: "aadhaar", otp_ref_id: "r" }, { state: "running", step: "aadhaar", job: "x-aadhaar" }],
    // The provider sent the sender's own OTP with its answer: a person is awaited at once.
    ["sender", { next_step: "otp", otp_ref_id: "r" }, { state: "awaiting_otp", step: "sender-otp", job: "x-sender" }],
    ["sender", { next_step: "verify" }, { state: "awaiting_otp", step: "sender-otp", job: "x-sender" }],
    ["sender", { next_step: null }, { state: "succeeded" }],
    ["sender", { next_step: "biometric" }, { state: "succeeded", result: { next_step: "biometric" } }],
    ["create", { next_step: "aadhaar" }, { step: "sender-again", job: "x-sender-again" }],
    ["create", { next_step: "aadhaar", otp_ref_id: "r" }, { step: "aadhaar" }],
    ["aadhaar", { otp_sent: true }, { state: "awaiting_otp", step: "verify", job: "x-aadhaar" }],
    ["aadhaar", { otp_sent: false, already_verified: true }, { state: "succeeded" }],
  ] as const)("after %s with %j is the right one", (step, result, move) => {
    expect(after(step, result)).toMatchObject({ kind: "move", move });
  });

  it("goes on from the sender's own OTP to the Aadhaar number", () => {
    const awaiting = onboarding({ state: "awaiting_otp", step: "sender-otp", job: "x-sender" });
    const verify = job({ id: "x-sender-v1", result: { verified: true, next_step: "aadhaar", otp_ref_id: "r3" } });
    expect(nextStep(LEVIN, awaiting, seen({ challenge: OPEN, verify }))).toMatchObject({
      move: { state: "running", step: "aadhaar", job: "x-aadhaar", done: [{ step: "sender-otp", job: "x-sender-v1" }] },
    });
  });
});

describe("the step that follows where a person is awaited", () => {
  const awaiting = onboarding({ state: "awaiting_otp", step: "verify", job: "x-aadhaar" });
  const wrong = job({ id: "x-aadhaar-v1", state: "rejected", reason: "wrong OTP" });

  it("is none after a wrong code, as long as tries are left and its time is not over", () => {
    const left = seen({ challenge: { ...OPEN, triesLeft: 1 }, verify: wrong });
    expect(nextStep(LEVIN, awaiting, left)).toMatchObject({ kind: "wait" });
    const used = seen({ challenge: { ...OPEN, triesLeft: 0 }, verify: wrong });
    expect(nextStep(LEVIN, awaiting, used)).toMatchObject({ move: { state: "rejected", reason: "wrong OTP" } });
    const over = seen({ now: NOW + 61_001, challenge: OPEN, verify: wrong });
    expect(nextStep(LEVIN, awaiting, over)).toMatchObject({ move: { state: "expired" } });
  });

  it("is the end where the no is to the person, and waits for one that is under way past its deadline", () => {
    const no = job({ state: "rejected", reason: "the Aadhaar number was not validated" });
    expect(nextStep(LEVIN, awaiting, seen({ challenge: OPEN, verify: no }))).toMatchObject({
      move: { state: "rejected" },
    });
    const underWay = seen({ now: NOW + 90_000, challenge: OPEN, verify: job({ state: "active" }) });
    expect(nextStep(LEVIN, awaiting, underWay)).toMatchObject({ kind: "wait" });
  });

  it("is the send that took the place of the one that was awaited", () => {
    const done = [
      { step: "sender", job: "x-sender" },
      { step: "aadhaar", job: "x-aadhaar" },
    ];
    const replaced = seen({ job: job({ id: "x-aadhaar", replacedBy: "x-aadhaar-s2" }), challenge: OPEN });
    expect(nextStep(LEVIN, { ...awaiting, done }, replaced)).toMatchObject({
      move: { state: "running", step: "aadhaar", job: "x-aadhaar-s2", done: [{ step: "sender", job: "x-sender" }] },
    });
  });
});

describe("the step that follows one that failed", () => {
  it("is none until somebody has its job tried again, and then that of how it stands", () => {
    const failed = onboarding({ state: "failed", reason: "every attempt failed" });
    const then = (state: SeenJob["state"] | null) =>
      nextStep(LEVIN, failed, seen({ job: state === null ? null : job({ state, result: { next_step: "create" } }) }));
    expect(then(null)).toEqual({ kind: "nothing" });
    expect(then("failed")).toEqual({ kind: "nothing" });
    for (const state of ["queued", "active", "waiting"] as const)
      expect(then(state)).toMatchObject({ move: { state: "running", step: "sender", reason: null } });
    expect(then("succeeded")).toMatchObject({ move: { state: "running", step: "create" } });
    expect(then("rejected")).toMatchObject({ move: { state: "rejected" } });
  });

  it("is to await the code whose verify is tried again", () => {
    const failed = onboarding({ state: "failed", step: "verify", job: "x-aadhaar" });
    const then = (state: SeenJob["state"]) =>
      nextStep(LEVIN, failed, seen({ challenge: OPEN, verify: job({ id: "x-aadhaar-v1", state }) }));
    expect(then("failed")).toEqual({ kind: "nothing" });
    expect(then("queued")).toMatchObject({ move: { state: "awaiting_otp" } });
    expect(then("succeeded")).toMatchObject({ move: { state: "succeeded" } });
  });
});

describe("the step that follows", () => {
  it("is told for anything that may be seen: it neither throws nor leaves what is over", () => {
    const steps = FLOWS.flatMap((flow) => Object.keys(flow.steps).map((step) => ({ flow, step })));
    const jobs = fc.option(
      fc.record({
        id: fc.constant("x-any"),
        state: fc.constantFrom(...JOB_STATES),
        reason: fc.option(fc.constantFrom("wrong OTP", "OTP expired")),
        result: fc.option(fc.constant<Result>({ next_step: "create", otp_sent: true })),
        replacedBy: fc.option(fc.constant("x-any-s2")),
      }),
    );
    const challenge = fc.option(fc.constantFrom<Challenge>(OPEN, { ...OPEN, triesLeft: 0, deadline: null }));
    fc.assert(
      fc.property(
        fc.constantFrom(...steps),
        fc.constantFrom(...ONBOARDING_STATES),
        fc.option(fc.constant("a reason")),
        fc.record({
          now: fc.constantFrom(NOW, NOW + 120_000),
          job: jobs,
          challenge,
          verify: jobs,
          hasEarlyCode: fc.boolean(),
        }),
        ({ flow, step }, state, cancel, facts) => {
          const next = nextStep(flow, onboarding({ flow: flow.name, step, state, cancel }), facts);
          if (isFinal(state) && state !== "failed") expect(next).toEqual({ kind: "nothing" });
          // What changes nothing would be asked for without end.
          if (next.kind === "move") {
            const { state: to, step: at, job: of } = next.move;
            expect([to, at, of]).not.toEqual([state, step, "x-sender"]);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
