import { describe, expect, it } from "vitest";
import { type FailoverEvidence, judgeFailover, longestGap } from "../../../chaos/failover/judgement.ts";
import type { OutboxMessage } from "../../../simulator/outbox.ts";
import type { RequestRecord } from "../../../simulator/request-log.ts";
import { NO_REPLY, type OutcomeKind } from "../../../src/outcomes/outcome.ts";
import type { JobRecord, RecordedAttempt } from "../../../src/records/record.ts";
import type { JobState } from "../../../src/outcomes/state.ts";

const T0 = Date.parse("2026-01-31T10:00:00Z");
const OPERATION = "eko.dmt-levin.aadhaar-otp";
const PERSON = "999941057058";

const iso = (ms: number): string => new Date(T0 + ms).toISOString();
/** Every 500 ms up to ten seconds. */
const STEADY = Array.from({ length: 20 }, (_, n) => T0 + n * 500);

function attempt(kind: OutcomeKind): RecordedAttempt {
  const times = { started_at: iso(0), ended_at: iso(100) };
  return { n: 1, client_ref_id: "ref-1", ...times, outcome: { kind, ...NO_REPLY } };
}

function record(state: JobState, attempts: readonly RecordedAttempt[]): JobRecord {
  return {
    ...{ id: "j1", operation: OPERATION, lane: "interactive", state, outcome: null, attempts, next_attempt_at: null },
    ...{ reason: null, result: { otp_ref_id: "r1" }, expires_at: null, created_at: iso(0), updated_at: iso(0) },
  };
}

function request(at: number, more: Partial<RequestRecord> = {}): RequestRecord {
  return {
    ...{ seq: at + 1, at: T0 + at, method: "POST", route: "/", provider: "eko", operation: OPERATION, step: "send" },
    ...{ client_ref_id: "ref-1", person: PERSON, status: 200, code: null, committed: "otp-sent", fault: null },
    ...{ came_after: null, over_quota: false, ms: 1, ...more },
  };
}

/** Cut off before anything of it could be read: of no job, but a sign that calls go on. */
const SIGNS = STEADY.map((at, n) =>
  request(at - T0, { seq: 100 + n, client_ref_id: null, person: null, committed: null }),
);

function message(at: number): OutboxMessage {
  const to = { to: PERSON, mobile: null, operation: OPERATION, otp: "123456" };
  return { seq: at + 1, at: T0 + at, ...to, reference: "r1", client_ref_id: null };
}

/** One job that was sent, Redis whole, calls every 500 ms; but for what is given. */
function evidence(more: Partial<FailoverEvidence> = {}): FailoverEvidence {
  return {
    jobs: [{ id: "j1", operation: OPERATION, person: PERSON }],
    records: [record("succeeded", [attempt("succeeded")])],
    requests: [...SIGNS, request(10)],
    outbox: [message(10)],
    ...{ quotas: { eko: [{ max: 50, ms: 1_000 }], deepvue: [] }, cooldownMs: 3_000 },
    ...{ actedAt: T0 + 2_000, loadEndedAt: T0 + 10_000, written: STEADY, ownMs: 0, refusals: new Map() },
    ...{ callTimeoutMs: 10_000, mayLose: false, minReplicas: false, ...more },
  };
}

const missed = (more: Partial<FailoverEvidence>): readonly string[] => judgeFailover(evidence(more)).missed;

const UNKNOWN = [record("unknown", [attempt("unknown")])];

describe("the longest gap", () => {
  it.each<[what: string, times: readonly number[], gap: number]>([
    ["lies between two of them", [0, 100, 900, 1_000], 800],
    ["began before what it is measured from", [0, 900, 1_000], 900],
    ["lasts to the end where nothing comes any more", [0, 100, 200], 800],
    ["is everything where nothing came", [], 900],
    ["does not end with what comes after the end", [100, 5_000], 900],
  ])("%s", (_, times, gap) => {
    expect(longestGap(times, 100, 1_000)).toBe(gap);
  });
});

describe("the verdict on a failover", () => {
  it("holds where calls went on and every job is what the provider did", () => {
    expect(missed({})).toEqual([]);
  });

  it("misses a bar for a job that is unknown though its call was never seen", () => {
    const nothing = { records: UNKNOWN, requests: SIGNS, outbox: [] };
    expect(missed(nothing)).toEqual(["1 false unknowns"]);
    expect(judgeFailover(evidence(nothing)).neverSeen).toEqual(["j1"]);
  });

  it("misses it for one whose reply came to a living worker, also where a later attempt went well", () => {
    expect(judgeFailover(evidence({ records: UNKNOWN })).delivered).toEqual(["j1"]);
    const again = { ...attempt("succeeded"), n: 2, client_ref_id: "ref-2" };
    const records = [record("succeeded", [attempt("unknown"), again])];
    expect(judgeFailover(evidence({ records })).delivered).toEqual(["j1"]);
  });

  it.each<[why: string, call: Partial<RequestRecord>]>([
    ["was cut off", { status: null }],
    ["took longer than the worker waits", { ms: 10_001 }],
    ["was spoilt by the provider", { fault: "cut-short" }],
  ])("takes an unknown for a true one whose reply %s", (_, call) => {
    expect(missed({ records: UNKNOWN, requests: [...SIGNS, request(10, call)] })).toEqual([]);
  });

  it("allows calls to stand still for the failover and two seconds, and says by how much it was more", () => {
    const without = (from: number, to: number): Partial<FailoverEvidence> => ({
      requests: [...SIGNS.filter(({ at }) => at <= T0 + from || at >= T0 + to), request(10)],
    });
    const written = STEADY.filter((at) => at <= T0 + 3_000 || at >= T0 + 6_000);
    expect(missed({ written, ...without(3_000, 8_000) })).toEqual([]);
    expect(missed({ written, ...without(3_000, 8_500) })).toEqual(["calls stood still 2.5 s beyond the failover"]);
    expect(missed({ ownMs: 4_000, ...without(3_000, 8_500) })).toEqual([]);
  });

  it.each(["MOVED", "TRYAGAIN", "CLUSTERDOWN", "LOADING"])("misses a bar for a submit refused with %s", (word) => {
    expect(missed({ refusals: new Map([[word, 1]]) })).toEqual([`submits refused with ${word}`]);
    expect(missed({ refusals: new Map([["redis-unreachable", 1]]) })).toEqual([]);
  });

  it("lets asynchronous replication lose openings and jobs only without a replica that confirms", () => {
    const unknownCall = { requests: [...SIGNS, request(10), request(20, { client_ref_id: "nobodys" })] };
    const what = "1 calls that no journal knows";
    expect(missed(unknownCall)).toEqual([what]);
    expect(missed({ ...unknownCall, mayLose: true })).toEqual([]);
    expect(missed({ ...unknownCall, mayLose: true, minReplicas: true })).toEqual([what]);
    const gone = { records: [null], requests: SIGNS, outbox: [] };
    expect(missed(gone)).toEqual(["1 accepted jobs lost"]);
    expect(missed({ ...gone, mayLose: true })).toEqual([]);
  });

  it("never lets it leave a job open", () => {
    const open = { records: [record("active", [])], requests: SIGNS, outbox: [], mayLose: true };
    expect(missed(open)).toEqual(["1 jobs not settled"]);
  });

  it("counts what a person was sent beyond the first OTP, and calls over the quota", () => {
    const twice = { outbox: [message(10), message(5_000)] };
    expect(judgeFailover(evidence(twice)).secondOtps).toBe(1);
    expect(missed(twice)).toEqual(["1 second OTPs"]);
    const over = { quotas: { eko: [{ max: 1, ms: 400 }], deepvue: [] } };
    expect(missed(over)).toEqual(["1 calls over the quota"]);
  });
});
