import { describe, expect, it } from "vitest";
import { endedSight, openSight } from "../../../src/batches/onboarding-row.ts";
import { noRows, ROW_STATES } from "../../../src/batches/row-state.ts";
import { rowsToTake } from "../../../src/batches/window.ts";
import { isOver, type Onboarding, ONBOARDING_STATES } from "../../../src/flows/onboarding.ts";
import { NO_REPLY } from "../../../src/outcomes/outcome.ts";
import { JOB_STATES, type JobState } from "../../../src/outcomes/state.ts";
import type { JobRecord } from "../../../src/records/record.ts";

const AT = "2026-11-27T06:00:00.000Z";

function onboarding(about: Partial<Onboarding>): Onboarding {
  return {
    ...{ id: "b1-1", flow: "eko.mobile", lane: "bulk", createdAt: 1, expiresAt: null, subjects: [], state: "running" },
    ...{ step: "send", job: "b1-1-send", done: [], reason: null, result: null, updatedAt: 5, cancel: null },
    ...{ parent: "b:b1:1", input: null },
    ...about,
  };
}

function job(id: string, state: JobState, sub_code: string | null, attempts = 1): JobRecord {
  const outcome = { ...NO_REPLY, kind: state === "rejected" ? "rejected" : "succeeded", sub_code } as const;
  return {
    ...{ id, operation: "eko.mobile-otp", lane: "bulk", state, outcome, next_attempt_at: null, reason: null },
    ...{ result: { otp_ref_id: `of ${id}` }, expires_at: null, created_at: AT, updated_at: AT },
    attempts: Array.from({ length: attempts }, (_, n) => ({
      ...{ n: n + 1, client_ref_id: `${id}/${n}`, started_at: AT, ended_at: AT, outcome },
    })),
  };
}

describe("the row of an onboarding", () => {
  it("is in the queue or called with its step, and takes no place there while a person is asked or nothing goes on", () => {
    for (const state of JOB_STATES)
      expect(openSight(onboarding({}), [state, "1", "", ""], false, null).state).toBe(
        state === "active" ? "calling" : "queued",
      );
    expect(openSight(onboarding({}), ["waiting", "1", "backoff", ""], false, null)).toMatchObject({ isAway: true });
    expect(openSight(onboarding({}), ["waiting", "1", "quota", ""], false, null)).toMatchObject({ isAway: false });
    expect(openSight(onboarding({}), [], false, null)).toMatchObject({ state: "queued", isAway: false });
    expect(openSight(onboarding({}), [], true, null)).toMatchObject({ state: "queued", isAway: true });
    const awaited = openSight(onboarding({ state: "awaiting_otp" }), [], false, 7);
    expect(awaited).toMatchObject({ state: "awaiting_otp", isAway: true, kept: null, deadline: 7 });
  });

  it("ends as the onboarding does, with the attempts of all its steps and what the step that ended it said", () => {
    const jobs = [job("b1-1-send", "succeeded", "sent", 2), job("b1-1-send-v1", "rejected", "no", 1)];
    const { state, kept, spent } = endedSight(
      onboarding({ state: "rejected", step: "verify", reason: "wrong OTP" }),
      jobs,
    );
    expect([state, spent]).toEqual(["rejected", ["b1-1-send", "b1-1-send-v1"]]);
    expect(kept).toMatchObject({
      code: "no",
      reason: "wrong OTP",
      attempts: 3,
      clientRefId: "b1-1-send-v1/0",
      endedAt: 5,
    });
    expect(kept?.result).toEqual({ otp_ref_id: "of b1-1-send-v1", step: "verify" });
  });

  it("has no code of a step that succeeded where its person did not answer, but the references of the OTP", () => {
    const sight = endedSight(onboarding({ state: "expired", step: "verify" }), [job("b1-1-send", "succeeded", "sent")]);
    const { kept } = sight;
    expect(sight.isUnanswered).toBe(true);
    expect(endedSight(onboarding({ state: "expired", step: "send" }), []).isUnanswered).toBeUndefined();
    expect(kept).toMatchObject({ code: null, attempts: 1, result: { otp_ref_id: "of b1-1-send", step: "verify" } });
  });

  it("leaves the records of what somebody has to decide, and says which job that is", () => {
    for (const state of ["unknown", "failed"] as const) {
      const { kept, spent } = endedSight(onboarding({ state }), [job("b1-1-send", state, null)]);
      expect([spent, kept?.result?.["job"]]).toEqual([[], "b1-1-send"]);
    }
  });

  it("is in one of a row's states, whatever the onboarding's, and has its results just when it is over", () => {
    for (const state of ONBOARDING_STATES) {
      const sight = isOver(state)
        ? endedSight(onboarding({ state }), [])
        : openSight(onboarding({ state }), [], false, null);
      expect(ROW_STATES).toContain(sight.state);
      expect(sight.kept === null).toBe(!isOver(state));
    }
  });
});

describe("rows that may begin", () => {
  const counts = { ...noRows(), waiting: 100, queued: 3, calling: 1, awaiting_otp: 4, succeeded: 50 };
  const flow = { kind: "flow", name: "eko.mobile" } as const;

  it("are no more than challenges may be open at once, counting each that is on its way to one", () => {
    expect(rowsToTake({ counts, openLimit: 10, target: flow })).toBe(2);
    expect(rowsToTake({ counts, openLimit: 8, target: flow })).toBe(0);
    expect(rowsToTake({ counts, openLimit: 5, target: flow })).toBe(0);
    expect(rowsToTake({ counts, openLimit: 1_000, target: flow })).toBe(100);
  });

  it("are all that wait where nobody set a limit, or nobody is asked for a code", () => {
    expect(rowsToTake({ counts, openLimit: null, target: flow })).toBe(100);
    expect(rowsToTake({ counts, openLimit: 1, target: { kind: "operation", name: "eko.mobile-otp" } })).toBe(100);
  });
});
