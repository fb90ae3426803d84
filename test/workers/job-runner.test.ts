import { describe, expect, it } from "vitest";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { OperationName } from "../../src/operations/catalogue.ts";
import { OUTCOME_KINDS, type OutcomeKind } from "../../src/outcomes/outcome.ts";
import { noReply } from "../../src/providers/exchange.ts";
import type { HttpReply } from "../../src/providers/http.ts";
import type { AttemptStart } from "../../src/records/attempt-start.ts";
import { JOB, NOW, OWN, run, SETTINGS, setup, takenJob } from "./job-runner-bundle.ts";

function reply(status: number, body: unknown): HttpReply {
  return { kind: "reply", status, headers: {}, text: JSON.stringify(body) };
}

const deepvue = (data: object): HttpReply => reply(200, { code: 200, sub_code: "SUCCESS", timestamp: NOW, ...data });
const GONE: HttpReply = noReply(true, { kind: "timeout" });
const CLOSED_GATE: readonly OutcomeKind[] = ["throttled", "refused"];

/** One operation per step, with the reply that makes it succeed and what follows its outcomes: while attempts are left, at the last. */
const STEPS: Readonly<Record<string, Step>> = {
  send: {
    operation: "deepvue.aadhaar-otp",
    success: deepvue({ reference_id: "29756208" }),
    unknown: ["waiting: unknown", "unknown"],
  },
  verify: {
    operation: "deepvue.aadhaar-otp.verify",
    success: deepvue({ data: { maskedNumber: "XXXX XXXX 0019" } }),
    unknown: ["unknown", "unknown"],
  },
  read: {
    operation: "eko.dmt-levin.sender",
    success: reply(200, { status: 0, response_status_id: 0, response_type_id: 309, data: {} }),
    unknown: ["waiting: backoff", "unknown"],
  },
  create: {
    operation: "eko.dmt-levin.sender.create",
    success: reply(200, { status: 0, response_status_id: 0, response_type_id: 300, data: {} }),
    unknown: ["unknown", "unknown"],
  },
};
interface Step {
  readonly operation: OperationName;
  readonly success: HttpReply;
  readonly unknown: readonly [string, string];
}

/** The same for every step: its reply, whether it costs an attempt, what follows while attempts are left, and at the last. */
const KINDS: Readonly<
  Record<Exclude<OutcomeKind, "succeeded" | "unknown">, readonly [HttpReply, boolean, string, string]>
> = {
  rejected: [reply(400, {}), true, "rejected", "rejected"],
  pending: [reply(409, {}), false, "waiting: pending", "waiting: pending"],
  throttled: [reply(429, {}), false, "waiting: throttled", "waiting: throttled"],
  unavailable: [noReply(false, { kind: "network", code: "ECONNREFUSED" }), true, "waiting: backoff", "failed"],
  refused: [reply(403, {}), false, "waiting: held", "waiting: held"],
};

interface Row {
  readonly step: string;
  readonly kind: OutcomeKind;
  readonly attempts: "more" | "the last";
  readonly truth: "in time" | "late";
  readonly operation: OperationName;
  readonly answer: HttpReply;
  readonly costs: boolean;
  readonly follows: string;
}

const ROWS: readonly Row[] = Object.entries(STEPS).flatMap(([step, { operation, success, unknown }]) =>
  OUTCOME_KINDS.flatMap((kind) => {
    // Eko has no reply that says "pending".
    if (kind === "pending" && operation.startsWith("eko.")) return [];
    const [answer, costs, more, last] =
      kind === "succeeded"
        ? ([success, true, "succeeded", "succeeded"] as const)
        : kind === "unknown"
          ? ([GONE, true, ...unknown] as const)
          : KINDS[kind];
    return (["more", "the last"] as const).flatMap((attempts) =>
      (["in time", "late"] as const).map((truth) => ({
        ...{ step, kind, attempts, truth, operation, answer, costs },
        follows: attempts === "more" ? more : last,
      })),
    );
  }),
);

describe("what follows an attempt", () => {
  it.each(ROWS)(
    "of a $step that ended $kind, with $attempts left, its truth $truth: $follows",
    async ({ operation, kind, attempts, truth, answer, costs, follows }) => {
      const used = attempts === "more" ? 0 : 4;
      const corrected = truth === "late";
      const { take, ends, counted, givenBack } = setup({
        start: run(takenJob(operation, { used })),
        ...{ reply: answer, closed: { corrected } },
      });
      const followUp = await take();
      const [end] = ends;
      expect(ends).toHaveLength(1);
      expect(end?.attempt.outcome?.kind).toBe(kind);
      expect(end?.cause === null ? end.state : `${end?.state}: ${end?.cause}`).toBe(follows);
      expect(end?.used).toBe(used + (costs ? 1 : 0));
      expect(end?.lost).toBe(false);
      const isSettled = !follows.startsWith("waiting");
      // A late truth has no entry in the queue left that could stay at its front.
      const stays = CLOSED_GATE.includes(kind) && !corrected;
      expect(followUp.kind).toBe(isSettled ? "done" : stays ? "gate" : "later");
      const [calls, corrections] = [
        await counted("satyapan_calls_total"),
        await counted("satyapan_calls_corrected_total"),
      ];
      expect(Object.keys(calls)).toHaveLength(corrected ? 0 : 1);
      expect(corrections).toEqual(corrected ? { [`${operation} ${kind}`]: 1 } : {});
      const settled = isSettled && !corrected ? { [`${operation} ${follows} interactive`]: 1 } : {};
      expect(await counted("satyapan_jobs_settled_total")).toEqual(settled);
      expect(givenBack).toEqual([]);
    },
  );

  it.each([
    ["finds the provider still away", "eko.mobile-otp", noReply(false, { kind: "network", code: "ECONNREFUSED" }), 0],
    ["gets no reply to a read", "eko.dmt-levin.sender", GONE, 0],
    ["gets no reply to a send, which may have happened", "eko.mobile-otp", GONE, 1],
  ] as const)(
    "costs a probe nothing unless it may have changed something: it %s",
    async (_what, name, answer, used) => {
      const { take, ends } = setup({ start: run(takenJob(name), { isProbe: true }), reply: answer });
      await take();
      expect(ends[0]).toMatchObject({ used });
    },
  );

  it.each(["cancelled", "closed", "too late"] as const)(
    "costs nothing, and says nothing about the provider, where we ended it ourselves: %s",
    async (kind) => {
      const { take, ends } = setup({
        start: run(takenJob("eko.mobile-otp")),
        reply: noReply(false, { kind }),
      });
      await take();
      const reason = expect.stringMatching(/^backing off: not sent: .*; it cost no attempt$/) as string;
      expect(ends[0]).toMatchObject({ state: "waiting", cause: "backoff", used: 0, health: null, reason });
    },
  );

  it("says that the provider failed where it was not us", async () => {
    const { take, ends } = setup({
      start: run(takenJob("eko.mobile-otp")),
      reply: noReply(false, { kind: "timeout" }),
    });
    await take();
    expect(ends[0]).toMatchObject({ used: 1, health: { kind: "failed" } });
  });

  it("is a rejection after the last wait for a 409, and unknown after a send that was repeated", async () => {
    const pending = setup({ start: run(takenJob("deepvue.aadhaar-otp", { pendings: 1 })), reply: reply(409, {}) });
    await pending.take();
    expect(pending.ends[0]).toMatchObject({ state: "rejected", pendings: 2 });
    const repeated = setup({ start: run(takenJob("deepvue.aadhaar-otp", { resends: 1 })), reply: reply(400, {}) });
    await repeated.take();
    expect(repeated.ends[0]).toMatchObject({ state: "unknown", resends: 1 });
  });

  it("is unknown where a send that was repeated gets no reply again: it is not sent a third time", async () => {
    const { take, ends } = setup({ start: run(takenJob("deepvue.aadhaar-otp", { resends: 1 })), reply: GONE });
    await take();
    expect(ends[0]).toMatchObject({ state: "unknown", resends: 1 });
  });

  it.each([
    ["another worker closed the attempt meanwhile: its record says what is still to be done", "stale", NOW + 1_000],
    ["its record is gone", "missing", null],
  ] as const)("is nothing that is counted where %s", async (_why, answer, until) => {
    const { take, counted } = setup({
      start: run(takenJob("eko.mobile-otp")),
      ...{ reply: reply(403, {}), closed: { answer } },
    });
    expect(await take()).toEqual(until === null ? { kind: "done" } : { kind: "later", until });
    expect(await counted("satyapan_calls_total")).toEqual({});
  });
});

describe("a job that is not called", () => {
  const job = takenJob("eko.mobile-otp");
  const failing = (code: ErrorCode) => async (): Promise<never> =>
    await Promise.reject(new SatyapanError(code, "no key"));
  const found = setup({ start: run(job) });

  it.each<[string, AttemptStart, unknown]>([
    ["is settled", { kind: "settled", state: "succeeded" }, { kind: "done" }],
    ["expired", { kind: "expired", job, state: "expired" }, { kind: "done" }],
    ["came before its time", { kind: "early", until: NOW + 5 }, { kind: "later", until: NOW + 5 }],
    ["waits for the quota", { kind: "blocked", cause: "quota", until: NOW + 5 }, { kind: "gate", until: NOW + 5 }],
    ["waits for its person", { kind: "blocked", cause: "cooldown", until: NOW + 5 }, { kind: "later", until: NOW + 5 }],
    ["has no record yet", { kind: "missing" }, { kind: "later", until: NOW + 250 }],
  ])("because it %s is put where it belongs, and nothing is written", async (_why, start, followUp) => {
    const { take, ends, calls } = setup({ start });
    expect(await take()).toEqual(followUp);
    expect([ends, calls]).toEqual([[], []]);
  });

  it("is dropped when its record has not come within 10 s", async () => {
    const { take } = setup({ start: { kind: "missing" } });
    expect(await take(NOW - 10_000)).toEqual({ kind: "done" });
  });

  it("is parked where its record cannot be read: unknown if it may have been called, else failed", async () => {
    for (const [called, state] of [
      [true, "unknown"],
      [false, "failed"],
    ] as const) {
      const { take, parked } = setup({ start: { kind: "broken", fields: "state", called } });
      expect(await take()).toEqual({ kind: "done" });
      expect(parked).toMatchObject([[JOB, state, expect.stringContaining("state of its record"), null]]);
    }
  });

  it("is parked as failed where its key holds something else than a record", async () => {
    const { take, parked } = setup({ start: { kind: "no-record" } });
    expect(await take()).toEqual({ kind: "done" });
    expect(parked).toMatchObject([[JOB, "failed", expect.stringContaining("unreadable"), null]]);
  });

  it("is parked, and its permit given back, where this version lacks its operation", async () => {
    const { take, parked, givenBack } = setup({ start: run({ ...job, operation: "eko.of-tomorrow" }) });
    expect(await take()).toEqual({ kind: "done" });
    expect(parked).toMatchObject([[JOB, "failed", expect.stringContaining("eko.of-tomorrow"), `1 ${OWN}`]]);
    expect(givenBack).toEqual(["permit-1"]);
  });

  it.each([
    ["another worker has its key", ErrorCode.UNKNOWN_KEY, "waiting", NOW + 1_000],
    ["its keys cannot be reached", ErrorCode.KEYS_UNREACHABLE, "waiting", NOW + SETTINGS.calls.backoffCapMs],
    ["its input was altered", ErrorCode.UNREADABLE, "failed", null],
    ["its key was shredded", ErrorCode.SHREDDED, "failed", null],
  ] as const)("because %s costs nothing and gives its permit back", async (_why, code, state, nextAt) => {
    const sealer = failing(code);
    const bundle = setup({ start: run(job), dataKeys: { opener: sealer, sealer } });
    await bundle.take();
    expect(bundle.ends).toMatchObject([{ state, nextAt, used: 0, health: null, entry: null }]);
    expect(bundle.givenBack).toEqual(["permit-1"]);
    expect(bundle.lacking).toHaveLength(code === ErrorCode.UNKNOWN_KEY ? 1 : 0);
    expect(await bundle.counted("satyapan_calls_total")).toEqual({});
  });

  it("waits, whatever is wrong with the key for its result: the job itself is sound", async () => {
    const opener = async () => await Promise.resolve(found.opener);
    const bundle = setup({ start: run(job), dataKeys: { opener, sealer: failing(ErrorCode.UNREADABLE) } });
    await bundle.take();
    expect(bundle.ends).toMatchObject([{ state: "waiting", cause: "backoff", used: 0 }]);
    expect(bundle.givenBack).toEqual(["permit-1"]);
  });

  it("is not sent after a deadline that came while the machine slept, though Redis' time is not heard of again yet", async () => {
    const start = run(takenJob("eko.mobile-otp", { expiresAt: NOW + 10_000 }));
    const monotonic = (): number => performance.now() + 60_000;
    const { take, givenBack, calls } = setup({ start, monotonic });
    expect(await take()).toEqual({ kind: "later", until: NOW });
    expect(givenBack).toEqual(["permit-1"]);
    expect(calls).toEqual([]);
  });

  it("ends at its deadline: that which comes between the gate and the call is seen, too", async () => {
    const { take, ends, givenBack } = setup({ start: run(takenJob("eko.mobile-otp", { expiresAt: NOW })) });
    expect(await take()).toEqual({ kind: "later", until: NOW });
    expect(ends).toMatchObject([{ state: "waiting", used: 0 }]);
    expect(givenBack).toEqual(["permit-1"]);
  });

  it("goes back to the queue's front when its worker stops", async () => {
    const { take, ends } = setup({ start: run(job), stopping: AbortSignal.abort() });
    expect(await take()).toEqual({ kind: "gate", until: NOW });
    expect(ends).toEqual([]);
  });
});

describe("an attempt that was left open", () => {
  const left = (opener: string): AttemptStart => ({
    ...{ kind: "open", attemptToken: `3 ${opener}`, attempt: { client_ref_id: "ref-1", started: NOW - 9 } },
    job: takenJob("eko.mobile-otp"),
  });

  it("is unknown where another process opened it, and nobody is called", async () => {
    const { take, ends, calls } = setup({ start: left("other-1") });
    expect(await take()).toEqual({ kind: "done" });
    expect(ends).toMatchObject([{ state: "unknown", lost: true, used: 1, health: null }]);
    expect(ends[0]?.reason).toContain("the worker was lost");
    expect(calls).toEqual([]);
  });

  it("is unknown where this process opened it and could not record how it ended", async () => {
    const { take, ends } = setup({ start: left("own-2") });
    await take();
    expect(ends[0]?.reason).toContain("a fault of this worker");
  });

  it("was not made, and costs nothing, where this very step opened it", async () => {
    const { take, ends } = setup({ start: left(OWN) });
    expect(await take()).toEqual({ kind: "later", until: NOW });
    expect(ends).toMatchObject([{ state: "waiting", used: 0, lost: false }]);
  });

  it("was not made where this process could not begin it", async () => {
    const { take, ends } = setup({ start: [new TypeError("a fault of ours"), left(OWN)] });
    await expect(take()).rejects.toThrow("a fault of ours");
    await take();
    expect(ends).toMatchObject([{ state: "waiting", used: 0 }]);
  });
});
