import { describe, expect, it } from "vitest";
import { steadyClock } from "../../src/base/sleepless-clock.ts";
import { LOOSE_MARGIN_MS, QUOTA_MARGIN_MS } from "../../src/limits/gate/margins.ts";
import { noReply } from "../../src/providers/exchange.ts";
import type { HttpReply } from "../../src/providers/http.ts";
import type { PreparedCall } from "../../workers/calls.ts";
import type { Permit } from "../../src/records/attempt-start.ts";
import { type PermitSource, sendWithPermit, timed, type TimedPermit } from "../../workers/fresh-permit.ts";
import { Lived } from "../support/lived.ts";

const REPLY: HttpReply = { kind: "reply", status: 200, headers: {}, text: "{}" };
const LATE: HttpReply = noReply(false, { kind: "too late" });
const PATIENCE_MS = 5_000;

/** A permit that begins in so many ms and is good for a second, far longer than a test is held up. */
function permitIn(ms: number, id = "first"): TimedPermit {
  const from = performance.now() + ms;
  return { id, askedAt: from, from, until: from + 1_000 };
}

interface Sent {
  readonly at: number;
  readonly until: number | null | undefined;
}

interface Asked {
  readonly old: string | null;
  readonly id: string;
  readonly attemptToken: string;
  readonly subject: string | null;
}

/** A call that replies so, one reply after the other, and a gate that answers so. */
function setup(replies: readonly HttpReply[], answers: readonly (Permit | number | null | Error)[] = []) {
  const sent: Sent[] = [];
  const asked: Asked[] = [];
  const call: PreparedCall = {
    method: "POST",
    send: async (until) => {
      sent.push({ at: performance.now(), until });
      return await Promise.resolve(replies[sent.length - 1] ?? REPLY);
    },
  };
  const permit: PermitSource["journal"]["permit"] = async (old, id, attemptToken, subject) => {
    asked.push({ old, id, attemptToken, subject });
    const answer = answers[asked.length - 1];
    if (answer === undefined) throw new Error("asked too often");
    if (answer instanceof Error) throw answer;
    return await Promise.resolve(answer);
  };
  const abort = new AbortController();
  const writing = { begun: false };
  const source = {
    journal: { permit },
    id: "job-1",
    attemptToken: "1 x",
    subject: "person",
    writing,
    monotonic: steadyClock,
  };
  const send = async (first: TimedPermit, patienceMs = PATIENCE_MS): Promise<HttpReply> =>
    await sendWithPermit(call, first, source, patienceMs, abort.signal);
  const sendCall = async (other: PreparedCall, first: TimedPermit): Promise<HttpReply> =>
    await sendWithPermit(other, first, source, PATIENCE_MS, abort.signal);
  return { sent, asked, abort, send, sendCall, writing };
}

const fresh = (id: string, waitMs = 0): Permit => ({ id, scarce: false, waitMs, askedAt: performance.now() });

describe("a permit on our own clock", () => {
  it("begins when it had come and ends by when it was asked for, 8 ms before its call must arrive", () => {
    const scarce = timed({ id: "p", scarce: true, waitMs: 0, askedAt: 1_000 }, 1_003);
    expect(scarce).toEqual({ id: "p", askedAt: 1_000, from: 1_003, until: 1_000 + QUOTA_MARGIN_MS - 8 });
    const loose = timed({ id: "p", scarce: false, waitMs: 0, askedAt: 1_000 }, 1_003);
    expect(loose).toEqual({ id: "p", askedAt: 1_000, from: 1_003, until: 1_000 + LOOSE_MARGIN_MS - 8 });
  });

  it("given ahead of its time begins after its wait, counted from when it had come, and ends later by as much", () => {
    const ahead = timed({ id: "p", scarce: true, waitMs: 20, askedAt: 1_000 }, 1_003);
    expect(ahead).toEqual({ id: "p", askedAt: 1_000, from: 1_023, until: 1_020 + QUOTA_MARGIN_MS - 8 });
  });

  it("that came too slowly is over before it begins: it is never used", () => {
    const { from, until } = timed({ id: "p", scarce: true, waitMs: 5, askedAt: 1_000 }, 1_050);
    expect(until).toBeLessThan(from);
  });
});

describe("sendWithPermit", () => {
  it("sends at once with a permit that has begun, once, and tells the call until when it may be written", async () => {
    const { sent, asked, send } = setup([REPLY]);
    const first = permitIn(-1);
    expect(await send(first)).toBe(REPLY);
    expect(sent.map(({ until }) => until)).toEqual([first.until]);
    expect(asked).toEqual([]);
  });

  it("has nothing written once its patience is over, though its permit is still good: the job's deadline may be that", async () => {
    const { sent, send } = setup([LATE]);
    const before = performance.now();
    expect(await send(permitIn(-1), 0)).toBe(LATE);
    const [only] = sent;
    expect(sent).toHaveLength(1);
    expect(only?.until ?? Infinity).toBeLessThanOrEqual((only?.at ?? 0) + 1);
    expect(only?.until ?? 0).toBeGreaterThanOrEqual(before);
  });

  it("waits until its permit begins", async () => {
    for (const ms of [0.4, 7.5, 40]) {
      const { sent, send } = setup([REPLY]);
      const first = permitIn(ms);
      await send(first);
      expect(sent).toHaveLength(1);
      expect(sent[0]?.at).toBeGreaterThanOrEqual(first.from);
    }
  });

  it("gives one that grew old back for another, and waits for that one's own time", async () => {
    const { sent, asked, send } = setup([LATE, REPLY], [fresh("second", 60)]);
    const before = performance.now();
    expect(await send(permitIn(0))).toBe(REPLY);
    expect(asked).toEqual([{ old: "first", id: "job-1", attemptToken: "1 x", subject: "person" }]);
    expect(sent).toHaveLength(2);
    expect(sent[1]?.at).toBeGreaterThanOrEqual(before + 60);
    expect(sent[1]?.until ?? 0).toBeGreaterThan(sent[0]?.at ?? Infinity);
  });

  it("gives back what it holds, each permit once, however often it asks", async () => {
    const { sent, asked, send } = setup([LATE, LATE, REPLY], [15, 15, fresh("second"), 15, fresh("third")]);
    const before = performance.now();
    expect(await send(permitIn(0))).toBe(REPLY);
    expect(asked.map(({ old }) => old)).toEqual(["first", null, null, "second", null]);
    expect(sent).toHaveLength(3);
    expect(performance.now() - before).toBeGreaterThanOrEqual(44);
  });

  it("asks for no other permit whatever else comes of the call, written or not", async () => {
    const others = [
      noReply(true, { kind: "network", code: "ECONNRESET" }),
      noReply(false, { kind: "network", code: "ECONNREFUSED" }),
      noReply(false, { kind: "cancelled" }),
    ];
    for (const other of others) {
      const { asked, send } = setup([other]);
      expect(await send(permitIn(0))).toBe(other);
      expect(asked).toEqual([]);
    }
  });

  it("ends with the last reply at once where no permit is to be had in time", async () => {
    const { sent, asked, send } = setup([LATE], [86_400_000]);
    using lived = new Lived();
    expect(await send(permitIn(0))).toEqual({ kind: "none", written: false, cause: { kind: "too late" } });
    expect(lived.ms).toBeLessThan(PATIENCE_MS / 2);
    expect(asked).toHaveLength(1);
    expect(sent).toHaveLength(1);
  });

  it("does not wait longer than its patience in all, however short each wait is", async () => {
    const { sent, asked, send } = setup(
      [LATE],
      Array.from({ length: 100 }, () => 40),
    );
    const before = performance.now();
    using lived = new Lived();
    expect(await send(permitIn(0), 150)).toBe(LATE);
    expect(performance.now() - before).toBeGreaterThanOrEqual(80);
    expect(lived.ms).toBeLessThan(1_500);
    expect(asked.length).toBeLessThanOrEqual(5);
    expect(sent).toHaveLength(1);
  });
});

describe("what may have been written", () => {
  const sendOf = async (send: PreparedCall["send"]) => {
    const { writing, sendCall } = setup([]);
    await expect(sendCall({ method: "POST", send }, permitIn(-1))).rejects.toThrow("a fault of ours");
    return writing.begun;
  };
  const fail = async (): Promise<HttpReply> => await Promise.reject(new RangeError("a fault of ours"));

  it("is nothing of a call that could not be signed, and something of one that was", async () => {
    expect(await sendOf(fail)).toBe(false);
    expect(await sendOf(async (_until, onSigned) => (onSigned?.(), await fail()))).toBe(true);
  });
});

describe("an abort", () => {
  it("while it waits for its permit to begin ends it at once, and nothing is sent", async () => {
    const { sent, abort, send } = setup([REPLY]);
    const sending = send(permitIn(60_000));
    setImmediate(() => abort.abort());
    expect(await sending).toEqual({ kind: "none", written: false, cause: { kind: "cancelled" } });
    expect(sent).toEqual([]);
  });

  it("before it even began does the same", async () => {
    const { sent, asked, abort, send } = setup([REPLY]);
    abort.abort();
    expect(await send(permitIn(0))).toMatchObject({ written: false });
    expect([sent, asked]).toEqual([[], []]);
  });

  it("while it waits for another permit ends it at once, and no other is taken", async () => {
    const { sent, asked, abort, send } = setup([LATE], [60_000]);
    const sending = send(permitIn(0), 120_000);
    await expect.poll(() => asked.length, { interval: 5 }).toBe(1);
    abort.abort();
    expect(await sending).toMatchObject({ kind: "none", written: false });
    expect(asked).toHaveLength(1);
    expect(sent).toHaveLength(1);
  });
});
