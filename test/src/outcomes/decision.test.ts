import { describe, expect, it } from "vitest";
import { costsAttempt, decide, type DecisionFacts } from "../../../src/outcomes/decision.ts";
import { NO_REPLY, type Outcome, OUTCOME_KINDS } from "../../../src/outcomes/outcome.ts";

const NOW = 1_800_000_000_000;

function facts(given: Partial<DecisionFacts> = {}): DecisionFacts {
  return {
    used: 1,
    pendings: 0,
    resends: 0,
    afterUnknown: "stop",
    cooldownMs: 60_000,
    holdMs: 300_000,
    now: NOW,
    expiresAt: null,
    pendingDelaysMs: [60_000, 120_000, 300_000],
    attempts: 5,
    backoffBaseMs: 1_000,
    backoffCapMs: 60_000,
    random: () => 0.5,
    ...given,
  };
}

const reply = NO_REPLY;
const pending: Outcome = { kind: "pending", reason: "an OTP was sent a moment ago", reply };
const unavailable: Outcome = { kind: "unavailable", reason: "connection refused", reply };

describe("decide", () => {
  it("settles what succeeded, was rejected, or is unknown in the state of that name", () => {
    expect(decide({ kind: "succeeded", result: {}, reply }, facts())).toEqual({
      kind: "settle",
      state: "succeeded",
      reason: null,
    });
    expect(decide({ kind: "rejected", reason: "wrong OTP", reply }, facts())).toMatchObject({
      state: "rejected",
      reason: "wrong OTP",
    });
    expect(decide({ kind: "unknown", reason: "timeout", reply }, facts())).toMatchObject({
      state: "unknown",
      reason: "timeout",
    });
  });

  it.each([
    [1, 60_000],
    [2, 120_000],
    [3, 300_000],
  ])("waits out pending number %i for its own delay of %i ms", (pendings, delay) => {
    expect(decide(pending, facts({ pendings, used: 0 }))).toMatchObject({
      kind: "wait",
      until: NOW + delay,
    });
  });

  it("rejects with the reason that an OTP is already pending once all delays are used up", () => {
    expect(decide(pending, facts({ pendings: 4, used: 0 }))).toEqual({
      kind: "settle",
      state: "rejected",
      reason: "OTP already pending",
    });
  });

  it("never waits past the job's deadline", () => {
    expect(decide(pending, facts({ pendings: 1, expiresAt: NOW + 5_000 }))).toMatchObject({ until: NOW + 5_000 });
  });

  it("waits after a 429 for as long as the provider says", () => {
    const throttled: Outcome = { kind: "throttled", retryAfterMs: 7_000, reply };
    expect(decide(throttled, facts())).toMatchObject({ kind: "wait", cause: "throttled", until: NOW + 7_000 });
  });

  it("backs off with jitter while attempts are left, and fails when they are used up", () => {
    expect(decide(unavailable, facts({ used: 3 }))).toMatchObject({ kind: "wait", until: NOW + 2_000 });
    expect(decide(unavailable, facts({ used: 5 }))).toMatchObject({ kind: "settle", state: "failed" });
  });

  it("holds a refused job, whole or by its scope, and fails nobody", () => {
    const refused = (scope: "credential" | "user_code"): Outcome => ({
      kind: "refused",
      scope,
      reason: "not allowed",
      reply,
    });
    const until = NOW + 300_000;
    expect(decide(refused("credential"), facts())).toEqual({
      kind: "wait",
      cause: "held",
      until,
      reason: "held: not allowed",
    });
    expect(decide(refused("user_code"), facts())).toMatchObject({ kind: "wait", cause: "scope", until });
  });

  it("repeats a read whose outcome is unknown, with backoff, while attempts are left", () => {
    const unknown: Outcome = { kind: "unknown", reason: "timeout", reply };
    expect(decide(unknown, facts({ afterUnknown: "repeat" }))).toMatchObject({ kind: "wait", cause: "backoff" });
    expect(decide(unknown, facts({ afterUnknown: "repeat", used: 5 }))).toMatchObject({ state: "unknown" });
  });

  it("sends once more after the cooldown where the provider guards the person, and then no more", () => {
    const unknown: Outcome = { kind: "unknown", reason: "timeout", reply };
    const policy = { afterUnknown: "resend-after-cooldown" } as const;
    expect(decide(unknown, facts(policy))).toMatchObject({ kind: "wait", cause: "unknown", until: NOW + 60_000 });
    expect(decide(unknown, facts({ ...policy, resends: 1 }))).toMatchObject({ kind: "settle", state: "unknown" });
  });

  it("stays unknown where the cooldown leaves no time to send once more", () => {
    const unknown: Outcome = { kind: "unknown", reason: "timeout", reply };
    const policy = { afterUnknown: "resend-after-cooldown", expiresAt: NOW + 60_000 } as const;
    expect(decide(unknown, facts(policy))).toMatchObject({ kind: "settle", state: "unknown", reason: "timeout" });
    expect(decide(unknown, facts({ ...policy, expiresAt: NOW + 60_001 }))).toMatchObject({ kind: "wait" });
  });

  it("stays unknown where a repeated send is refused: the first one may have happened", () => {
    const rejected: Outcome = { kind: "rejected", reason: "no mobile number is linked", reply };
    expect(decide(rejected, facts({ resends: 1 }))).toMatchObject({ kind: "settle", state: "unknown" });
    expect(decide({ kind: "succeeded", result: {}, reply }, facts({ resends: 1 }))).toMatchObject({
      state: "succeeded",
    });
  });
});

describe("costsAttempt", () => {
  it("follows the last column of the table of outcomes", () => {
    expect(OUTCOME_KINDS.filter(costsAttempt)).toEqual(["succeeded", "rejected", "unavailable", "unknown"]);
  });
});
