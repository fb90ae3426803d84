import { describe, expect, it } from "vitest";
import type { GateState, Hold } from "../../../src/limits/control.ts";
import { explain } from "../../../producers/jobs/explain.ts";
import { packJob, type StoredJob } from "../../../src/records/stored-job.ts";
import type { ExplainFacts, Place } from "../../../producers/jobs/explanation.ts";

const NOW = Date.UTC(2026, 0, 15, 10);
const SECOND = 1_000;
const MINUTE = 60_000;
const at = (ms: number) => new Date(NOW + ms).toISOString();

const OPEN_GATE: GateState = {
  now: NOW,
  quota: [{ max: 10, ms: SECOND }],
  quotaSetByHand: false,
  windows: [{ max: 10, ms: SECOND, used: 0 }],
  quotaFreeAt: 0,
  fullWindow: null,
  factor: 1,
  factorWorked: 1,
  calls: { inFlight: 0, limit: 6 },
  pausedUntil: null,
  holds: [],
  breaker: null,
  lost: null,
  confirmedAt: null,
  broken: null,
  queuePause: null,
};

const inLane = (interactive: number, bulk = 0, isFirstCome = false): Place => ({
  ...{ kind: "lane", interactive, bulk, exact: true, isFirstCome },
});
const TAKEN: Place = { kind: "taken" };

interface Given extends Partial<Omit<ExplainFacts, "gate">> {
  readonly gate?: Partial<GateState>;
  readonly job?: Partial<StoredJob>;
}

const JOB: StoredJob = {
  ...{ operation: "eko.mobile-otp", lane: "interactive", createdAt: NOW - MINUTE, expiresAt: null, subject: null },
  ...{ reference: "derived", of: null },
  holdNames: ["user_code:default", "initiator_id:default", "operation:eko.mobile-otp"],
};

/** A job that was queued a minute ago, is next in an open line, and has workers: differing from that as given. */
function explained({ fields = {}, gate = {}, job = {}, ...facts }: Given = {}) {
  return explain({
    id: "job-1",
    place: inLane(0),
    workers: 2,
    provider: "eko",
    ...facts,
    gate: { ...OPEN_GATE, ...gate },
    fields: {
      job: packJob({ ...JOB, ...job }),
      state: "queued",
      updated: String(NOW - MINUTE),
      ...fields,
    },
  });
}

function waiting(cause: string, until: number, more: Record<string, string> = {}) {
  return { state: "waiting", cause, next: String(NOW + until), since: String(NOW - 5_000), ...more };
}

const attempt = (started: number) => JSON.stringify({ client_ref_id: "ref-1", started: NOW + started });
const hold = (scope: string | null, probe: number): Hold => ({
  scope,
  reason: "the provider refused it",
  since: NOW - 2 * MINUTE,
  probeAt: NOW + probe,
});

describe("a job that is settled", () => {
  it.each([
    ["succeeded", {}, /^Succeeded at 2026-01-15T09:59:00.000Z \(1m ago\)\.$/],
    ["rejected", { reason: "the number is unknown" }, /^Rejected at .*: the number is unknown\.$/],
    ["failed", { reason: "attempts used up (5): no reply" }, /attempts used up.*`satyapan failed retry job-1`/],
    ["unknown", { reason: "no reply" }, /no reply.*`satyapan settle job-1 succeeded\|rejected\|resend --reason TEXT`/],
    ["expired", {}, /Its deadline was 2026-01-15T09:59:00.000Z/],
    ["cancelled", {}, /^Cancelled at /],
  ])("is explained by how it ended: %s", (state, fields, text) => {
    const job = state === "expired" ? { expiresAt: NOW - MINUTE } : {};
    const explanation = explained({ fields: { state, ...fields }, job, place: { kind: "none" }, workers: 0 });
    expect(explanation).toMatchObject({ state, cause: null, since: at(-MINUTE), next_attempt_at: null, ahead: null });
    expect(explanation.text).toMatch(text);
  });
});

describe("a job whose attempt is open", () => {
  const fields = { state: "active", attempts: "1", open: "1", "attempt:1": attempt(-3_000) };

  it("is being called, since the attempt began", () => {
    const explanation = explained({ fields, place: TAKEN });
    expect(explanation).toMatchObject({ state: "active", cause: null, since: at(-3_000), next_attempt_at: null });
    expect(explanation.text).toMatch(
      /^Attempt 1 \(client_ref_id ref-1\) is open since .*\(3s ago\)\. Its reply is awaited/,
    );
  });

  it.each([
    ["is back in the queue", { place: inLane(0) }, "lane", /its worker was lost.*unknown/i],
    ["has no worker any more", { place: TAKEN, workers: 0 }, "no-worker", /no worker is running.*unknown/i],
    ["could not be closed", { place: { kind: "delayed", until: NOW + 250 } as const }, "delayed", /could not close it/],
    ["is not in the queue", { place: { kind: "none" } as const }, "not-queued", /its queue does not have it/i],
  ])("says what becomes of it where it %s", (_, given, cause, text) => {
    const explanation = explained({ fields, ...given });
    expect(explanation).toMatchObject({ cause, since: at(-3_000), next_attempt_at: null });
    expect(explanation.text).toMatch(text);
  });
});

describe("a job that waits for its own time", () => {
  const place: Place = { kind: "delayed", until: NOW + 55_000 };

  it.each([
    ["cooldown", {}, /^Cooldown: this person was sent an OTP a short while ago\./],
    ["pending", { reason: "pending: OTP already pending; wait 1 of 3" }, /^Pending: .*wait 1 of 3\./],
    ["backoff", { reason: "backing off: SOURCE_FAILURE; attempt 1 of 5" }, /^Backing off: .*attempt 1 of 5\./],
    ["unknown", { reason: "unknown: no reply; sent once more after the cooldown" }, /^Unknown: .*sent once more/],
  ])("says so, since when and until when: %s", (cause, more, text) => {
    const explanation = explained({ fields: waiting(cause, 55_000, more), place });
    expect(explanation).toMatchObject({
      state: "waiting",
      ...{ cause, since: at(-5_000), next_attempt_at: at(55_000), estimated: false, ahead: null },
    });
    expect(explanation.text).toMatch(text);
    expect(explanation.text).toContain(`It is tried at ${at(55_000)} (in 55s)`);
  });

  it("names the scope that is held, since when it is, and how to lift it", () => {
    const fields = waiting("scope", 55_000, { detail: "the provider refused it" });
    const explanation = explained({ fields, place, gate: { holds: [hold("user_code:default", 55_000)] } });
    expect(explanation).toMatchObject({ cause: "scope", since: at(-2 * MINUTE), next_attempt_at: at(55_000) });
    expect(explanation.text).toContain("(only user_code:default)");
    expect(explanation.text).toContain("`satyapan provider resume eko --scope user_code:default`");
    expect(explained({ fields, place }).text).toMatch(/^Held: the provider refused it; that is lifted by now\./);
  });

  it("is tried even later where the gate is closed for longer", () => {
    const fields = waiting("backoff", 55_000);
    const explanation = explained({ fields, place, gate: { holds: [hold(null, 4 * MINUTE)] } });
    expect(explanation).toMatchObject({ cause: "backoff", next_attempt_at: at(4 * MINUTE) });
    expect(explanation.text).toMatch(/Nor before this: held: the provider refused it/);
    const sooner = explained({ fields, place, gate: { holds: [hold(null, SECOND)] } });
    expect(sooner.next_attempt_at).toBe(at(55_000));
  });

  it("says that no worker runs, as long as it still has time", () => {
    const explanation = explained({ fields: waiting("cooldown", 55_000), place, workers: 0 });
    expect(explanation).toMatchObject({ cause: "cooldown", next_attempt_at: at(55_000) });
    expect(explanation.text).toContain("By then a worker has to run: none does now.");
  });

  it("is in line again when it is over", () => {
    const explanation = explained({ fields: waiting("backoff", -2_000), place: inLane(3) });
    expect(explanation).toMatchObject({ cause: "lane", since: at(-2_000), ahead: 3 });
  });

  it("tells a decision from a fault of ours", () => {
    const decisions = `${JSON.stringify({ decision: "resend", reason: "asked", at: NOW - SECOND })}\n`;
    const decided = explained({ fields: { decisions }, place });
    expect(decided).toMatchObject({ cause: "delayed", since: at(-SECOND), next_attempt_at: at(55_000) });
    expect(decided.text).toMatch(/^`resend` was decided at /);
    expect(explained({ place }).text).toMatch(/^A fault of our own kept it from being called/);
  });
});

describe("a job behind the gate", () => {
  it("waits for the probe of a held credential", () => {
    const fields = waiting("held", 3 * MINUTE, { reason: "held: the provider refused it" });
    const explanation = explained({ fields, gate: { holds: [hold(null, 3 * MINUTE)] } });
    expect(explanation).toMatchObject({
      cause: "held",
      since: at(-2 * MINUTE),
      next_attempt_at: at(3 * MINUTE),
      ahead: 0,
    });
    expect(explanation.text).toMatch(/^Held: the provider refused it, since .* One job tries again at .*\(in 3m\)/);
    expect(explanation.text).toContain("`satyapan provider resume eko`");
    expect(explained({ gate: { holds: [hold(null, -1)] } })).toMatchObject({ cause: "held", next_attempt_at: at(0) });
  });

  it("waits out a 429", () => {
    const gate = { pausedUntil: NOW + 8_000 };
    const explanation = explained({ fields: waiting("throttled", 8_000), gate });
    expect(explanation).toMatchObject({ cause: "throttled", since: at(-5_000), next_attempt_at: at(8_000) });
    expect(explanation.text).toMatch(/429.*calls resume at .*\(in 8s\)/);
  });

  it.each([
    ["open", /out of order.*One job tries at/],
    ["ramp", /resuming slowly.*The next call is made at/],
  ] as const)("waits for the breaker: %s", (state, text) => {
    const breaker = { state, since: NOW - MINUTE, nextAt: NOW + 4_000 };
    const explanation = explained({ gate: { breaker } });
    expect(explanation).toMatchObject({ cause: "breaker", since: at(-MINUTE), next_attempt_at: at(4_000) });
    expect(explanation.text).toMatch(text);
  });

  it("is told the scope that it will be turned back for, though nobody took it yet", () => {
    const gate = { holds: [hold("initiator_id:other", 99_000), hold("operation:eko.mobile-otp", 60_000)] };
    expect(explained({ gate })).toMatchObject({ cause: "scope", next_attempt_at: at(60_000) });
    expect(explained({ gate: { holds: [hold("initiator_id:other", 99_000)] } }).cause).toBeNull();
  });

  it("is told which window is full, and when it has room: that of the day as well", () => {
    const day = { max: 1_000, ms: 86_400_000 };
    const freeAt = NOW + 5 * 3_600_000;
    const gate = {
      windows: [
        { max: 10, ms: SECOND, used: 0 },
        { ...day, used: 1_000 },
      ],
      fullWindow: day,
      quotaFreeAt: freeAt,
    };
    const first = explained({ fields: waiting("quota", 5 * 3_600_000, { detail: "1000:86400000" }), gate });
    expect(first).toMatchObject({ cause: "quota", since: at(-5_000), next_attempt_at: at(5 * 3_600_000), ahead: 0 });
    expect(first.estimated).toBe(false);
    expect(first.text).toMatch(/^Quota: 1000\/1d is used up \(1000 of 1000\); it has room again at .*\(in 5h\)/);
    const later = explained({ place: inLane(20), gate });
    expect(later).toMatchObject({
      cause: "quota",
      next_attempt_at: at(5 * 3_600_000 + 2_000),
      estimated: true,
      ahead: 20,
    });
  });

  it("waits for ever where the quota is 0, and says what to do", () => {
    const gate = {
      windows: [{ max: 0, ms: SECOND, used: 0 }],
      fullWindow: { max: 0, ms: SECOND },
      quotaFreeAt: 8.64e15,
    };
    const explanation = explained({ gate: { ...gate, quotaSetByHand: true }, place: inLane(4) });
    expect(explanation).toMatchObject({ cause: "quota", next_attempt_at: null, estimated: false });
    expect(explanation.text).toMatch(
      /it is 0, so every call is held.*`satyapan quota set` said; `satyapan quota set eko …`/,
    );
  });
});

describe("a job in line", () => {
  it("is tried at once when it is the next", () => {
    expect(explained()).toMatchObject({
      cause: null,
      next_attempt_at: at(0),
      ahead: 0,
      text: "It is the next in line.",
    });
    expect(explained({ place: TAKEN }).text).toBe("A worker has it in hand: it is tried now.");
  });

  it("is told how many are before it and, as an estimate, when its turn comes", () => {
    const windows = [
      { max: 1, ms: SECOND, used: 0 },
      { max: 30, ms: MINUTE, used: 10 },
      { max: 1_000, ms: 86_400_000, used: 10 },
    ];
    const explanation = explained({ place: inLane(15), gate: { windows } });
    expect(explanation).toMatchObject({
      cause: "lane",
      since: at(-MINUTE),
      next_attempt_at: at(15_000),
      estimated: true,
    });
    expect(explanation.text).toMatch(/^Interactive lane: 15 interactive jobs are before it\. .*this is an estimate\.$/);
    // As the call after these, (10 + 300 + 1 - 30) more than a minute has room for; then those of the day.
    expect(explained({ place: inLane(300), gate: { windows } }).next_attempt_at).toBe(at(562_000));
    expect(explained({ place: inLane(1_489), gate: { windows } }).next_attempt_at).toBe(at(43_200_000));
  });

  it("counts a lowered share of the quota", () => {
    const gate = { factor: 0.5 };
    expect(explained({ place: inLane(100), gate }).next_attempt_at).toBe(at(20_000));
  });

  it("says nothing of those that come meanwhile where they go behind it", () => {
    const { text } = explained({ job: { lane: "bulk" }, place: inLane(0, 1, true) });
    expect(text).toMatch(/^Bulk lane: 1 bulk job is before it\./);
  });

  it("says that interactive jobs go before those of the bulk lane", () => {
    const explanation = explained({ job: { lane: "bulk" }, place: inLane(2, 340) });
    expect(explanation.ahead).toBe(342);
    expect(explanation.text).toContain(
      "Bulk lane: 2 interactive and 340 bulk jobs are before it, and interactive ones that come meanwhile go first.",
    );
  });

  it("does not claim to know a place too far back", () => {
    const place = { kind: "lane", interactive: 50_000, bulk: 0, exact: false, isFirstCome: true } as const;
    const explanation = explained({ place });
    expect(explanation.ahead).toBeNull();
    expect(explanation.text).toContain("at most 50000 interactive jobs are before it");
  });

  it("is told that no worker is running, and what else would stop it", () => {
    const explanation = explained({ workers: 0, place: inLane(3), gate: { holds: [hold(null, MINUTE)] } });
    expect(explanation).toMatchObject({ cause: "no-worker", since: at(-MINUTE), next_attempt_at: null, ahead: 3 });
    expect(explanation.text).toMatch(/^No worker is running for this provider.* Held: /);
    expect(explained({ workers: 0 }).text).toBe(
      "No worker is running for this provider: start one that has its settings with `satyapan worker`.",
    );
  });

  it("is told that it is in no line at all", () => {
    const explanation = explained({ place: { kind: "none" } });
    expect(explanation).toMatchObject({ cause: "not-queued", next_attempt_at: null });
    expect(explanation.text).toContain("--id job-1");
  });
});

describe("a deadline", () => {
  const job = { expiresAt: NOW + MINUTE };

  it("is named where the job will be tried before it", () => {
    expect(explained({ job }).text).toContain(`Past its deadline ${at(MINUTE)} (in 1m) it is not called any more.`);
  });

  it("that comes first means that the job will never be tried", () => {
    const fields = waiting("cooldown", 2 * MINUTE);
    const place: Place = { kind: "delayed", until: NOW + 2 * MINUTE };
    const explanation = explained({ fields, job, place });
    expect(explanation).toMatchObject({ cause: "cooldown", next_attempt_at: null });
    expect(explanation.text).toMatch(/comes first: it will be expired then, and not called\.$/);
  });

  it("is held against an estimate with care", () => {
    const explanation = explained({ job, place: inLane(2_000) });
    expect(explanation).toMatchObject({ next_attempt_at: at(200_000), estimated: true });
    expect(explanation.text).toMatch(/comes first: it may be too late then\.$/);
  });

  it("that has passed is all that keeps it", () => {
    const explanation = explained({ job: { expiresAt: NOW - SECOND }, place: inLane(9) });
    expect(explanation).toMatchObject({
      state: "queued",
      cause: "deadline",
      since: at(-SECOND),
      next_attempt_at: null,
    });
  });
});

describe("a Redis that forgot or was taken over", () => {
  const full = {
    fullWindow: { max: 10, ms: SECOND },
    quotaFreeAt: NOW + 900,
    windows: [{ max: 10, ms: SECOND, used: 10 }],
  };

  it("is named while a window is full that it may have filled, with what brings a lost quota back", () => {
    const lost = { at: NOW - 500, quotaByHand: [{ max: 2, ms: SECOND }] };
    const { cause, text } = explained({ gate: { ...full, lost } });
    expect(cause).toBe("quota");
    expect(text).toContain("Redis lost its data at");
    expect(text).toContain("`satyapan quota set eko 2/1s` sets it again");
    expect(explained({ gate: { ...full, lost: { ...lost, at: NOW - MINUTE } } }).text).not.toContain("lost its data");
  });

  it("is named as what holds calls back until its quota is confirmed", () => {
    const { cause, text } = explained({ gate: { confirmedAt: NOW + 400 } });
    expect(cause).toBe("throttled");
    expect(text).toContain("Redis: another server took over, and workers bring what they know of the quota");
  });
});
