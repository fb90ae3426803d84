import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { dutyFindings, heartbeatFindings } from "../../../producers/doctor/duty-findings.ts";
import { Lease, WORKERS_LEASE_KEY } from "../../../src/redis/lease.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";

describe("what satyapan doctor finds of what one worker does for all", () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startTestRedis();
  });
  afterAll(async () => await redis.stop());
  beforeEach(async () => {
    await redis.client().del(WORKERS_LEASE_KEY);
  });
  const open = async () =>
    await Lease.open({ redis: redis.client(), key: WORKERS_LEASE_KEY, random: Math.random, onError: () => {} });

  it("is content where a worker holds the duty, and says nothing where none runs", async () => {
    expect(await dutyFindings(redis.client(), 0)).toEqual([]);
    await using lease = await open();
    expect(lease.held).toBe(true);
    expect(await dutyFindings(redis.client(), 1, 0)).toEqual([
      { check: "duty", status: "ok", detail: "one worker does what one does for all" },
    ]);
  });

  it("waits for the one that takes over, and fails where nobody does", async () => {
    const nobody = await dutyFindings(redis.client(), 2, 10);
    expect(nobody).toMatchObject([{ check: "duty", status: "failed" }]);
    expect(nobody[0]?.detail).toMatch(/^no worker has done what one does for all for 10ms: restart the workers/);
    const asked = dutyFindings(redis.client(), 2, 60_000);
    await using lease = await open();
    expect(lease.held).toBe(true);
    expect(await asked).toMatchObject([{ check: "duty", status: "ok" }]);
  });

  it.each([["PX", 600_000] as const, null])(
    "fails at once where no worker wrote what stands there (%j)",
    async (ttl) => {
      await redis.client().set(WORKERS_LEASE_KEY, "nobody");
      if (ttl !== null) await redis.client().pexpire(WORKERS_LEASE_KEY, ttl[1]);
      const [finding] = await dutyFindings(redis.client(), 1, 60_000);
      expect(finding?.status).toBe("failed");
      expect(finding?.detail).toMatch(/is no worker's: delete satyapan:\{workers\}:lease; meanwhile batches, /);
    },
  );
});

describe("what satyapan doctor finds of heartbeats", () => {
  const NOW = 1_800_000_000_000;
  const facts = { now: NOW, workers: 1, isAskedFor: true };
  const ago = (seconds: number, tookMs: number | null = 40) => ({ at: NOW - seconds * 1_000, tookMs });
  const said = (...args: Parameters<typeof heartbeatFindings>) =>
    heartbeatFindings(...args).map(({ status, detail }) => `${status}: ${detail.split(":")[0]}`);

  it("is content with one a minute, warns where one is missing, and fails where they are lost", () => {
    expect(said(ago(3, null), facts)).toEqual(["ok: the first is under way"]);
    expect(said(ago(119), facts)).toEqual(["ok: the last one came through 119s ago"]);
    expect(said(ago(150), facts)).toEqual(["warning: the last one came through 150s ago"]);
    expect(said(ago(200), facts)).toEqual(["failed: the last one came through 200s ago"]);
    expect(said(ago(200, null), facts)).toEqual(["failed: none has come through in 200s"]);
  });

  it("tells that no worker makes any, and nothing where none is asked for or no worker runs", () => {
    expect(said(null, facts)).toEqual(["warning: HEARTBEAT_BASE_URL is set here, and no worker makes any"]);
    expect(said(null, { ...facts, isAskedFor: false })).toEqual([]);
    expect(said(ago(200), { ...facts, workers: 0 })).toEqual([]);
  });

  it("warns where only the workers ask for them, and forgets them where they were switched off long ago", () => {
    const elsewhere = { ...facts, isAskedFor: false };
    expect(said(ago(200), elsewhere)).toEqual([
      "warning: the last one came through 200s ago (unless it was switched off)",
    ]);
    expect(said(ago(4_000), elsewhere)).toEqual([]);
  });
});
