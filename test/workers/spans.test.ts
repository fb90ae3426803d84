import { describe, expect, it } from "vitest";
import type { Onboarding } from "../../src/flows/onboarding.ts";
import { NO_REPLY, type Outcome } from "../../src/outcomes/outcome.ts";
import { spanIdOf, tracePlaceOf } from "../../src/records/trace-place.ts";
import type { Traces } from "../../src/records/traces.ts";
import { attemptSpan, awaitedSpan, callSpan, type EndedAttempt, jobSpan, onboardingSpan } from "../../workers/spans.ts";
import { Tracing } from "../../workers/tracing.ts";
import { takenJob } from "./job-runner-bundle.ts";

const CALL = { method: "POST", seconds: 0.4, wasSignedOffTime: false } as const;
const PLACE = tracePlaceOf("j1", null, 1);
const RESET: Outcome = {
  ...{ kind: "unknown", reason: "reset", reply: NO_REPLY },
  noReply: { kind: "network", code: "ECONNRESET" },
};
const ENDED: EndedAttempt = {
  ...{ id: "j1", job: takenJob("eko.mobile-otp"), n: 2, clientRefId: "ref-2", startedAt: 1_000, endedAt: 1_500 },
  ...{ outcome: RESET, state: "unknown", call: CALL, isCorrection: false },
};

describe("the spans of an attempt", () => {
  it("lie below its job's, and the request below the attempt's, with why there was no reply and no path", () => {
    const attempt = attemptSpan(ENDED, PLACE);
    const call = callSpan(ENDED, CALL, new URL("https://api.eko.in/v3/secret"), PLACE);
    expect(attempt).toMatchObject({ parentId: spanIdOf("j1"), isFailed: true, startedAt: 1_000, endedAt: 1_500 });
    expect(call).toMatchObject({ parentId: attempt.spanId, kind: "client", startedAt: 1_100, isFailed: true });
    expect(call.attributes).toEqual({
      ...{ "http.request.method": "POST", "http.response.status_code": null, "error.type": "ECONNRESET" },
      ...{ "server.address": "api.eko.in", "server.port": null },
    });
  });

  it("tell a late truth beside what was believed: no span's id is told twice", () => {
    const believed = attemptSpan(ENDED, PLACE);
    const truth = attemptSpan({ ...ENDED, isCorrection: true }, PLACE);
    expect(truth).toMatchObject({ name: "late truth", parentId: believed.spanId });
    expect(truth.spanId).not.toBe(believed.spanId);
  });
});

describe("the trace's id of an attempt", () => {
  it("is not waited for where Redis is frozen: the outcome of its call is written without it", async () => {
    const { promise: frozen } = Promise.withResolvers<never>();
    const offered: unknown[] = [];
    const tracing = new Tracing({
      spans: { offer: (spans) => void offered.push(...spans) },
      traces: { ofJobs: async () => await frozen, ofRoot: async () => await frozen },
      ...{ records: { fieldsOfMany: async () => await frozen }, hosts: {}, onUnplaced: () => {} },
    });
    expect(await tracing.of("{eko-0}").attempt("j1").id()).toBeNull();
    expect(offered).toEqual([]);
  });

  it("is there once it was read, and null where the read failed, which is counted", async () => {
    let unplaced = 0;
    const setup = (ofJobs: Traces["ofJobs"]): Tracing =>
      new Tracing({
        ...{ spans: { offer: () => {} }, records: { fieldsOfMany: async () => await Promise.resolve([]) }, hosts: {} },
        traces: { ofJobs, ofRoot: async () => await Promise.resolve(PLACE) },
        onUnplaced: () => (unplaced += 1),
      });
    const read = setup(async () => await Promise.resolve([{ root: "j1", place: PLACE, parent: null }]));
    expect(await read.of("{eko-0}").attempt("j1").id()).toBe(PLACE.traceId);
    const away = setup(async () => await Promise.reject(new Error("away")));
    expect(await away.of("{eko-0}").attempt("j1").id()).toBeNull();
    expect(unplaced).toBe(1);
  });
});

describe("what lies above them", () => {
  it("is below the submitter's span where there is one, and below the whole where it is a part", () => {
    const given = { traceId: "a".repeat(32), spanId: "b".repeat(16), isSampled: true };
    const place = tracePlaceOf("o1", given, 1);
    const traced = { root: "o1", place, parent: { kind: "o", of: "o1", part: "send" } } as const;
    const onboarding = { id: "o1", flow: "eko.mobile", lane: "bulk", createdAt: 5, parent: "b:b123456789:4" };
    const whole = onboardingSpan(onboarding as Onboarding, "failed", 9, place);
    expect(whole).toMatchObject({ traceId: given.traceId, parentId: given.spanId, isFailed: true });
    expect(whole.attributes).toMatchObject({ "satyapan.onboarding": "o1", "satyapan.batch": "b123456789" });
    expect(jobSpan("o1-send", ENDED.job, "succeeded", 9, traced)).toMatchObject({ parentId: whole.spanId });
    expect(jobSpan("o1", ENDED.job, "succeeded", 9, traced)).toMatchObject({ parentId: given.spanId });
    expect(awaitedSpan("o1-send-v1", { ...ENDED.job, of: "o1-send" }, 3, place)).toMatchObject({
      ...{ parentId: whole.spanId, startedAt: 3, endedAt: ENDED.job.createdAt },
    });
  });
});
