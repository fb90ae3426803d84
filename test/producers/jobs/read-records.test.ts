import { describe, expect, it } from "vitest";
import { behindGate } from "../../../producers/jobs/read-records.ts";
import type { GateState } from "../../../src/limits/control.ts";
import { AHEAD_MS } from "../../../src/limits/gate/margins.ts";
import { queuePrefix } from "../../../src/queues/names.ts";
import type { JobRecord } from "../../../src/records/record.ts";
import { JOB_STATES } from "../../../src/outcomes/state.ts";
import { AADHAAR_INPUT, type ClientBundle, MOBILE_INPUT, startClientBundle, testKeys } from "../../support/client.ts";
import { satyapan } from "../../support/command.ts";
import { makeTempDir } from "../../support/temp-dir.ts";
import { madeUpMobile } from "../../../simulator/people.ts";

const PERMITS = `${queuePrefix("{eko-0}")}permits`;
const NOW = Date.UTC(2026, 0, 15, 10);
const DAY = 86_400_000;
const at = (ms: number) => new Date(NOW + ms).toISOString();
const input = (person: number) => ({ mobile: madeUpMobile(person), csp_id: "agent-1" });

const QUEUED: JobRecord = {
  ...{ id: "job-1", operation: "eko.mobile-otp", lane: "interactive", state: "queued", outcome: null, attempts: [] },
  ...{ next_attempt_at: null, reason: null, result: null, expires_at: null, created_at: at(0), updated_at: at(0) },
};
const OPEN: GateState = {
  ...{ now: NOW, quota: [{ max: 2, ms: DAY }], quotaSetByHand: false, windows: [{ max: 2, ms: DAY, used: 0 }] },
  ...{ quotaFreeAt: 0, fullWindow: null, factor: 1, factorWorked: 1, pausedUntil: null, holds: [], breaker: null },
  ...{ calls: { inFlight: 0, limit: 6 }, lost: null, broken: null, confirmedAt: null },
  queuePause: null,
};

/** A day window that is used up until then, in ms from now. */
const full = (until: number): GateState => ({
  ...OPEN,
  windows: [{ max: 2, ms: DAY, used: 2 }],
  fullWindow: { max: 2, ms: DAY },
  quotaFreeAt: NOW + until,
});
const hold = { reason: "403", since: NOW - 5_000, probeAt: NOW + 60_000 };

describe("a job that is in line", () => {
  it("is queued while the gate is open, and while it opens within a second", () => {
    for (const gate of [OPEN, full(1), full(999)]) expect(behindGate(QUEUED, gate, "eko")).toBe(QUEUED);
  });

  it("waits where the gate opens in a second or later, with the reason and the time", () => {
    expect(behindGate(QUEUED, full(1_000), "eko")).toMatchObject({ state: "waiting", next_attempt_at: at(1_000) });
    const waiting = behindGate(QUEUED, full(3 * 3_600_000), "eko");
    expect(waiting).toEqual({
      ...QUEUED,
      state: "waiting",
      reason: `quota: 2/1d is used up (2 of 2); it has room again at ${at(3 * 3_600_000)} (in 3h)`,
      next_attempt_at: at(3 * 3_600_000),
    });
  });

  it.each([
    [
      "the credential is held",
      { holds: [{ ...hold, scope: null }] },
      /^held: 403.*satyapan provider resume eko/,
      60_000,
    ],
    ["a 429 pauses all", { pausedUntil: NOW + 5_000 }, /^throttled: .*\(429\); calls resume at/, 5_000],
    [
      "the breaker is open",
      { breaker: { state: "open", since: NOW, nextAt: NOW + 5_000 } },
      /^breaker: the provider is out of order/,
      5_000,
    ],
  ] as const)("waits with its reason while %s", (_, given, reason, until) => {
    const waiting = behindGate(QUEUED, { ...OPEN, ...given }, "eko");
    expect(waiting).toMatchObject({ state: "waiting", next_attempt_at: at(until) });
    expect(waiting.reason).toMatch(reason);
  });

  it("waits for no time that anybody knows at a quota of 0", () => {
    const windows = [{ max: 0, ms: 1_000, used: 0 }];
    const gate = { ...OPEN, windows, fullWindow: { max: 0, ms: 1_000 }, quotaFreeAt: 8.64e15 };
    expect(behindGate(QUEUED, gate, "eko")).toMatchObject({
      ...{ state: "waiting", next_attempt_at: null },
      reason: expect.stringMatching(/^quota: it is 0, so every call is held; `satyapan quota set eko …`/) as string,
    });
  });

  it("is queued where one job may try now, and where only a scope is held: its own hold shows when it is taken", () => {
    const due = { ...OPEN, holds: [{ ...hold, scope: null, probeAt: NOW - 1 }] };
    expect(behindGate(QUEUED, due, "eko")).toBe(QUEUED);
    expect(behindGate(QUEUED, { ...OPEN, holds: [{ ...hold, scope: "user_code:A" }] }, "eko")).toBe(QUEUED);
  });

  it("is left as it is in every other state", () => {
    for (const state of JOB_STATES.filter((one) => one !== "queued")) {
      const record = { ...QUEUED, state };
      expect(behindGate(record, full(DAY), "eko")).toBe(record);
    }
  });
});

/** A day window of two, of which both are used. */
async function useUp(bundle: ClientBundle): Promise<void> {
  await bundle.client.gates.setQuota("eko", "2/1d");
  for (const id of ["one", "two"]) {
    await bundle.client.submit("eko.mobile-otp", input(id.length), { id });
    await bundle.begin(id, "eko", `ref-${id}`);
    await bundle.finish(id, "eko", "succeeded");
  }
}

describe("a job that nobody takes, because the day's quota is used up", () => {
  it("is shown as waiting with the window and its reset time, by the library and by `satyapan show`", async () => {
    await using dir = await makeTempDir();
    const keys = testKeys();
    await using bundle = await startClientBundle(keys);
    await useUp(bundle);
    const { id, state } = await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT);
    expect(state).toBe("queued");
    const record = await bundle.client.get(id);
    // The older of its two calls leaves the window then.
    const resetAt = Number(await bundle.redis.client().lindex(PERMITS, 1)) + DAY;
    const reset = new Date(resetAt).toISOString();
    expect(record).toMatchObject({ state: "waiting", attempts: [], next_attempt_at: reset });
    expect(record?.reason).toMatch(/^quota: 2\/1d is used up \(2 of 2\), as `satyapan quota set` said; it has room/);
    expect(record?.reason).toContain(reset);
    const place = { cwd: dir.path, env: { ...keys, REDIS_URL: bundle.redis.url } };
    const json = await satyapan(["show", id, "--json"], place);
    expect(JSON.parse(json.stdout)).toMatchObject({ id, state: "waiting", next_attempt_at: reset });
    const { stdout } = await satyapan(["show", id], place);
    expect(stdout).toMatch(/^state +waiting$/m);
    expect(stdout).toMatch(/^reason +quota: 2\/1d is used up/m);
    expect(stdout).toContain(reset);
    // Nobody took it, and nothing was written.
    expect(await bundle.records.get("{eko-0}", id)).toMatchObject({ state: "queued", next_attempt_at: null });
  });

  it("is queued again as soon as the quota has room, and within the last second before", async () => {
    await using bundle = await startClientBundle();
    await useUp(bundle);
    const { id } = await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT);
    const redis = bundle.redis.client();
    const shift = async (until: number): Promise<void> => {
      const [seconds = 0, micros = 0] = (await redis.time()).map(Number);
      const end = Math.floor(seconds * 1_000 + micros / 1_000) + until - DAY;
      await redis.del(PERMITS);
      await redis.rpush(PERMITS, end, end);
    };
    const state = async () => (await bundle.client.get(id))?.state;
    await shift(30_000);
    expect(await state()).toBe("waiting");
    await shift(900);
    expect(await state()).toBe("queued");
    await shift(-AHEAD_MS);
    expect(await state()).toBe("queued");
    await shift(30_000);
    await bundle.client.gates.setQuota("eko", "3/1d");
    expect(await bundle.client.get(id)).toMatchObject({ state: "queued", reason: null, next_attempt_at: null });
  });

  it("has no next attempt while the quota is 0", async () => {
    await using bundle = await startClientBundle();
    await bundle.client.gates.setQuota("eko", "0");
    const { id } = await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT);
    expect(await bundle.client.get(id)).toMatchObject({
      ...{ state: "waiting", next_attempt_at: null },
      reason: expect.stringMatching(/^quota: it is 0/) as string,
    });
  });

  it("waits behind its own provider's gate alone, and what has ended or is called is shown as it is", async () => {
    await using bundle = await startClientBundle();
    await useUp(bundle);
    await bundle.client.gates.setQuota("eko", "3/1d");
    const { id: called } = await bundle.client.submit("eko.mobile-otp", input(8));
    await bundle.begin(called, "eko");
    const { id: queued } = await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT);
    const { id: deepvue } = await bundle.client.submit("deepvue.aadhaar-otp", AADHAAR_INPUT);
    const records = await bundle.client.getMany([queued, deepvue, "nobody", "one", called]);
    expect(records.map((record) => record?.state)).toEqual(["waiting", "queued", undefined, "succeeded", "active"]);
  });

  it("costs one look at the gate for a thousand records, and none where no job is queued", async () => {
    await using bundle = await startClientBundle();
    await useUp(bundle);
    const inputs = Array.from({ length: 998 }, (_, index) => input(index));
    const queued = (await bundle.client.submitMany("eko.mobile-otp", inputs)).map(({ id }) => id);
    const redis = bundle.redis.client();
    const looks = async (): Promise<number> =>
      Number(/cmdstat_time:calls=(\d+)/.exec(await redis.info("commandstats"))?.[1] ?? 0);
    const before = await looks();
    const records = await bundle.client.getMany([...queued, "one", "two"]);
    // Two chunks of 500.
    expect((await looks()) - before).toBe(2);
    expect(records.filter((record) => record?.state === "waiting")).toHaveLength(998);
    expect((await bundle.client.getMany(["one", "two"])).map((record) => record?.state)).toEqual([
      "succeeded",
      "succeeded",
    ]);
    expect((await looks()) - before).toBe(2);
  });
});
