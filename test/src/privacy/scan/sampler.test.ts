import { afterAll, beforeAll, expect, describe, it, beforeEach } from "vitest";
import type { Redis } from "ioredis";
import type { Finding } from "../../../../src/secrets/found.ts";
import { Needles } from "../../../../src/privacy/scan/needles.ts";
import { PrivacySampler } from "../../../../src/privacy/scan/sampler.ts";
import { Scanner } from "../../../../src/privacy/scan/scanner.ts";
import { FakeDuty } from "../../../support/duty.ts";
import { startTestRedis, type TestRedis } from "../../../support/redis.ts";

/** Made up: no real person's. */
const NUMBER = "234123412346";

let server: TestRedis;
let redis: Redis;
beforeAll(async () => {
  server = await startTestRedis({ plants: "to be found by the sampler" });
  redis = server.client();
});
afterAll(async () => await server.stop());
beforeEach(async () => void (await redis.flushall()));

function start(metrics = "", keysAtOnce = 20, roundMs = 1) {
  const findings: Finding[] = [];
  const measured: Record<string, number> = {};
  const rounds = { redis: 0, metrics: 0 };
  const duty = new FakeDuty();
  const sampler = new PrivacySampler({
    redis: server.client({ maxRetriesPerRequest: 1 }),
    scanner: new Scanner(new Needles([])),
    duty,
    metrics: async () => Promise.resolve(metrics),
    onFinding: (finding) => findings.push(finding),
    onMeasured: (place, count) => {
      measured[place] = count;
      rounds[place]++;
    },
    keysAtOnce,
    everyMs: 1,
    roundMs,
  });
  const ended = sampler.run();
  const stop = async (): Promise<void> => {
    sampler.stop();
    await ended;
  };
  return { findings, measured, duty, rounds, [Symbol.asyncDispose]: stop };
}

describe("the sampler", () => {
  it("says 0 where nothing is, so that its absence can be told from peace", async () => {
    await using sampler = start(`calls{a="b"} 1\n`);
    await expect.poll(() => sampler.measured).toEqual({ redis: 0, metrics: 0 });
    expect(sampler.findings).toEqual([]);
  });

  it("comes to every key in turn, a few each time, and goes on reporting one that stays", async () => {
    await redis.mset(Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`key-${n}`, "x"])));
    await redis.set("planted", NUMBER);
    await using sampler = start();
    await expect.poll(() => sampler.findings.length).toBeGreaterThanOrEqual(3);
    expect(sampler.measured["redis"]).toBe(1);
    expect(sampler.rounds.redis).toBeGreaterThan(40);
    expect(sampler.findings[0]).toMatchObject({ place: "planted", shown: "XXXX XXXX 2346" });
  });

  it("says 0 again when what it found is gone", async () => {
    await redis.set("planted", NUMBER);
    await using sampler = start();
    await expect.poll(() => sampler.measured["redis"]).toBe(1);
    await redis.del("planted");
    await expect.poll(() => sampler.measured["redis"]).toBe(0);
  });

  it("leaves Redis to the one on duty and says 0 of it, but looks at its own metrics", async () => {
    await redis.set("planted", NUMBER);
    await using sampler = start(`calls{message="of ${NUMBER}"} 1\n`);
    await expect.poll(() => sampler.measured).toEqual({ redis: 1, metrics: 1 });
    sampler.duty.held = false;
    await expect.poll(() => sampler.measured).toEqual({ redis: 0, metrics: 1 });
    await redis.config("RESETSTAT");
    const { redis: looks, metrics } = sampler.rounds;
    await expect.poll(() => sampler.rounds.redis > looks + 20 && sampler.rounds.metrics > metrics).toBe(true);
    expect(await redis.info("commandstats")).not.toContain("cmdstat_scan");
    sampler.duty.held = true;
    await expect.poll(() => sampler.measured).toEqual({ redis: 1, metrics: 1 });
  });

  it("waits with the next round of a small Redis", async () => {
    await redis.set("planted", NUMBER);
    await using sampler = start("", 20, 60_000);
    await expect.poll(() => sampler.rounds.redis).toBeGreaterThan(50);
    expect(sampler.findings).toHaveLength(1);
    expect(sampler.measured["redis"]).toBe(1);
  });

  it("looks at its own metrics", async () => {
    await using sampler = start(`calls{message="of ${NUMBER}"} 1\n`);
    await expect.poll(() => sampler.measured["metrics"]).toBe(1);
    expect(sampler.findings[0]).toMatchObject({ source: "page", place: "the metrics of this worker line 1" });
  });
});
