import { describe, expect, it } from "vitest";
import { type Evidence, judge } from "../../chaos/verdict.ts";
import type { OutboxMessage } from "../../simulator/outbox.ts";
import type { RequestRecord } from "../../simulator/request-log.ts";
import { AHEAD_MS, QUOTA_MARGIN_MS } from "../../src/limits/gate/margins.ts";
import { NO_REPLY, type OutcomeKind } from "../../src/outcomes/outcome.ts";
import type { JobRecord, RecordedAttempt } from "../../src/records/record.ts";
import type { JobState } from "../../src/outcomes/state.ts";

const T0 = Date.parse("2026-01-31T10:00:00Z");
const PERSON = "999941057058";

const iso = (ms: number): string => new Date(T0 + ms).toISOString();

/** An attempt from `from` to `to`, in ms; null: still open. */
function attempt(n: number, from: number, to: number | null, kind: OutcomeKind | null): RecordedAttempt {
  return {
    ...{ n, client_ref_id: `ref-${n}`, started_at: iso(from), ended_at: to === null ? null : iso(to) },
    outcome: kind === null ? null : { kind, ...NO_REPLY },
  };
}

function record(operation: string, state: JobState, attempts: readonly RecordedAttempt[]): JobRecord {
  return {
    ...{ id: "j1", operation, lane: "interactive", state, outcome: null, attempts, next_attempt_at: null },
    ...{ reason: null, result: { otp_ref_id: "r1", reference_id: "r1" }, expires_at: null },
    ...{ created_at: iso(0), updated_at: iso(0) },
  };
}

function request(seq: number, at: number, more: Partial<RequestRecord> = {}): RequestRecord {
  return {
    ...{ seq, at: T0 + at, method: "POST", route: "/", provider: "eko", operation: "eko.dmt-levin.aadhaar-otp" },
    ...{ step: "send", client_ref_id: "ref-1", person: PERSON, status: 200, code: null, committed: "otp-sent" },
    ...{ came_after: null, fault: null, over_quota: false, ms: 1, ...more },
  };
}

function message(at: number, more: Partial<OutboxMessage> = {}): OutboxMessage {
  return {
    ...{ seq: 1, at: T0 + at, to: PERSON, mobile: null, operation: "eko.dmt-levin.aadhaar-otp", otp: "123456" },
    ...{ reference: "r1", client_ref_id: null, ...more },
  };
}

/** One job, sent and succeeded as it should be, but for what is given. */
function evidence(more: Partial<Evidence> & { readonly operation?: string } = {}): Evidence {
  const { operation = "eko.dmt-levin.aadhaar-otp", ...rest } = more;
  return {
    jobs: [{ id: "j1", operation, person: PERSON }],
    records: [record(operation, "succeeded", [attempt(1, 0, 100, "succeeded")])],
    requests: [request(1, 10)],
    outbox: [message(10)],
    quotas: { eko: [{ max: 2, ms: 1_000 }], deepvue: [] },
    cooldownMs: 3_000,
    ...rest,
  };
}

const rules = (given: Evidence): string[] => judge(given).map(({ rule }) => rule);

const EKO = "eko.dmt-levin.aadhaar-otp";
const DEEPVUE = "deepvue.aadhaar-otp";

describe("judge", () => {
  it("finds nothing where everything went as it should", () => {
    expect(judge(evidence())).toEqual([]);
  });

  it.each([
    ["has no record", null],
    ["is not settled", record(EKO, "waiting", [attempt(1, 0, 100, "unavailable")])],
  ])("calls a job lost that %s", (_, found) => {
    expect(rules(evidence({ records: [found], requests: [], outbox: [] }))).toEqual(["lost"]);
  });

  it("calls a call unjournaled that has no attempt, came before it, or was made twice for it", () => {
    expect(rules(evidence({ requests: [request(1, 10), request(2, 20, { client_ref_id: "other" })] }))).toEqual([
      "unjournaled",
    ]);
    expect(rules(evidence({ requests: [request(1, -1)] }))).toContain("unjournaled");
    expect(rules(evidence({ requests: [request(1, 10), request(2, 20)] }))).toEqual(["unjournaled"]);
  });

  it("knows a call without a reference by its person", () => {
    const requests = [request(1, 10, { client_ref_id: null, provider: "deepvue", operation: DEEPVUE })];
    const outbox = [message(10, { operation: DEEPVUE })];
    expect(judge(evidence({ operation: DEEPVUE, requests, outbox }))).toEqual([]);
  });

  it("gives such a call to the attempt that was quick, not to another job's that was given up later", () => {
    const job = { operation: DEEPVUE, person: PERSON };
    const records = [
      record(DEEPVUE, "succeeded", [attempt(1, 3_000, 3_100, "succeeded")]),
      record(DEEPVUE, "unknown", [attempt(1, 2_900, 9_000, "unknown")]),
    ];
    const requests = [request(1, 3_010, { client_ref_id: null, provider: "deepvue", operation: DEEPVUE })];
    const jobs = ["j1", "j2"].map((id) => ({ id, ...job }));
    expect(judge(evidence({ jobs, records, requests }))).toEqual([]);
    expect(judge(evidence({ jobs: jobs.toReversed(), records: records.toReversed(), requests }))).toEqual([]);
  });

  it("calls an attempt after an unknown one repeated, unless the operation may be", () => {
    const attempts = [attempt(1, 0, 100, "unknown"), attempt(2, 4_000, 4_100, "succeeded")];
    const eko = evidence({
      records: [record(EKO, "succeeded", attempts)],
      requests: [request(1, 4_010, { client_ref_id: "ref-2" })],
    });
    expect(rules(eko)).toEqual(["repeated"]);
    const requests = [request(1, 4_010, { client_ref_id: null, provider: "deepvue", operation: DEEPVUE })];
    const records = [record(DEEPVUE, "succeeded", attempts)];
    expect(rules(evidence({ operation: DEEPVUE, records, requests }))).toEqual([]);
  });

  it("allows a second OTP only to Deepvue, after an unknown attempt and the cooldown", () => {
    const sendTwice = (operation: string, first: OutcomeKind, later: number): string[] => {
      const attempts = [attempt(1, 0, 100, first), attempt(2, later, later + 100, "succeeded")];
      const own = { provider: operation === EKO ? "eko" : "deepvue", operation } as const;
      const requests = [10, later + 10].map((at, index) =>
        request(index + 1, at, { ...own, client_ref_id: operation === EKO ? `ref-${index + 1}` : null }),
      );
      const outbox = requests.map(({ at }) => message(at - T0, { operation }));
      return rules(evidence({ operation, records: [record(operation, "succeeded", attempts)], requests, outbox }));
    };
    expect(sendTwice(DEEPVUE, "unknown", 4_000)).toEqual([]);
    expect(sendTwice(DEEPVUE, "unavailable", 4_000)).toEqual(["sent twice"]);
    expect(sendTwice(DEEPVUE, "unknown", 1_000)).toEqual(["cooldown"]);
    expect(sendTwice(EKO, "unknown", 4_000)).toEqual(["repeated", "sent twice"]);
  });

  it("counts every call above the quota, in a sliding window", () => {
    const attempts = [1, 2, 3].map((n) => attempt(n, 0, 2_000, n === 3 ? "succeeded" : "unavailable"));
    const calls = (third: number): RequestRecord[] =>
      [0, 500, third].map((at, index) =>
        request(index + 1, at, { client_ref_id: `ref-${index + 1}`, committed: index === 2 ? "otp-sent" : null }),
      );
    const records = [record(EKO, "succeeded", attempts)];
    expect(rules(evidence({ records, requests: calls(999) }))).toEqual(["quota"]);
    expect(rules(evidence({ records, requests: calls(1_000) }))).toEqual([]);
  });

  it("does not count a call that was held up on its way by as much as the next one came too early", () => {
    /** Of two in a second the first arrives so long after its attempt began, and the third so long after the first. */
    const after = (travelMs: number, laterMs: number): string[] => {
      const first = 10 + travelMs;
      const times = [first, first + 1, first + laterMs];
      const began = [10, first, first + laterMs - 1];
      const attempts = times.map((at, n) =>
        attempt(n + 1, began[n] ?? 0, at + 100, n === 2 ? "succeeded" : "unavailable"),
      );
      const requests = times.map((at, n) =>
        request(n + 1, at, { client_ref_id: `ref-${n + 1}`, committed: n === 2 ? "otp-sent" : null }),
      );
      return rules(
        evidence({ records: [record(EKO, "succeeded", attempts)], requests, outbox: [message(times[2] ?? 0)] }),
      );
    };
    const allowed = AHEAD_MS + QUOTA_MARGIN_MS;
    expect(after(0, 1_000)).toEqual([]);
    expect(after(0, 999)).toEqual(["quota"]);
    expect(after(allowed, 999)).toEqual(["quota"]);
    expect(after(allowed + 1, 999)).toEqual([]);
    expect(after(allowed + 100, 900)).toEqual([]);
    expect(after(allowed + 100, 899)).toEqual(["quota"]);
  });

  it("does not count a call that may have come in time, because the simulator heard late of the first", () => {
    const attempts = [1, 2, 3].map((n) => attempt(n, 0, 2_000, n === 3 ? "succeeded" : "unavailable"));
    const after = (lateMs: number): string[] => {
      const requests = [50, 500, 1_030].map((at, n) => {
        const more = { client_ref_id: `ref-${n + 1}`, committed: n === 2 ? ("otp-sent" as const) : null };
        return request(n + 1, at, { ...more, came_after: T0 + at - lateMs });
      });
      return rules(evidence({ records: [record(EKO, "succeeded", attempts)], requests, outbox: [message(1_030)] }));
    };
    expect(after(50)).toEqual([]);
    expect(after(5)).toEqual(["quota"]);
  });

  it("counts a call of which no attempt is known, however it came", () => {
    const requests = [0, 1, 999].map((at, n) =>
      request(n + 1, at, { client_ref_id: `nobodys-${n}`, committed: n === 2 ? "otp-sent" : null }),
    );
    expect(rules(evidence({ requests, outbox: [message(999)] }))).toContain("quota");
  });

  it("counts in every window, and each provider's calls alone", () => {
    const attempts = [1, 2, 3].map((n) => attempt(n, 0, 9_000, n === 3 ? "succeeded" : "unavailable"));
    const calls = (provider: "eko" | "deepvue"): RequestRecord[] =>
      [0, 2_000, 4_000].map((at, index) =>
        request(index + 1, at, {
          ...{ client_ref_id: `ref-${index + 1}`, committed: index === 2 ? "otp-sent" : null },
          provider: index === 1 ? provider : "eko",
        }),
      );
    const quotas = {
      eko: [
        { max: 1, ms: 1_000 },
        { max: 2, ms: 5_000 },
      ],
      deepvue: [],
    };
    const records = [record(EKO, "succeeded", attempts)];
    const outbox = [message(4_000)];
    expect(rules(evidence({ records, requests: calls("eko"), outbox, quotas }))).toEqual(["quota"]);
    expect(rules(evidence({ records, requests: calls("deepvue"), outbox, quotas }))).toEqual([]);
  });

  it("calls a state untrue that the provider's record contradicts", () => {
    const as = (state: JobState, kind: OutcomeKind): readonly (JobRecord | null)[] => [
      record(EKO, state, [attempt(1, 0, 100, kind)]),
    ];
    const nothing = { requests: [request(1, 10, { committed: null })], outbox: [] };
    expect(rules(evidence(nothing))).toEqual(["untrue"]);
    expect(rules(evidence({ records: as("rejected", "rejected") }))).toEqual(["untrue"]);
    expect(rules(evidence({ records: as("failed", "unavailable") }))).toEqual(["untrue"]);
    expect(rules(evidence({ outbox: [message(10, { reference: "another" })] }))).toEqual(["untrue"]);
    expect(rules(evidence({ records: as("unknown", "unknown") }))).toEqual([]);
    expect(rules(evidence({ records: as("unknown", "unknown"), ...nothing }))).toEqual([]);
  });

  it("calls a call late that came after the job's deadline", () => {
    const expires = (ms: number): readonly JobRecord[] => [
      { ...record(EKO, "succeeded", [attempt(1, 0, 100, "succeeded")]), expires_at: iso(ms) },
    ];
    expect(rules(evidence({ records: expires(-100) }))).toEqual(["late"]);
    expect(rules(evidence({ records: expires(10) }))).toEqual([]);
  });
});
