import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { GateControl } from "../../src/limits/control.ts";
import { parseQuota } from "../../src/limits/parse-quota.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { QueueMonitor } from "../../workers/queue-monitor.ts";
import { madeUpMobile } from "../../simulator/people.ts";
import { startClientBundle } from "../support/client.ts";
import { samplesOf } from "../support/exposition.ts";
import { FakeDuty, ON_DUTY } from "../support/duty.ts";
import { startTestRedis, type TestRedis } from "../support/redis.ts";

const RETENTION = { recordMs: 3_600_000, resultMs: 3_600_000 };
const NO_LOG = { look: () => {}, forget: () => {} };
const QUEUE = "{eko-0}";
const MEASURED = `satyapan:${QUEUE}:measured`;

/** One process's monitor, and the lines that its scrape has of the quota. */
function startMonitor(redis: TestRedis, held: boolean) {
  const metrics = new Metrics(new Registry());
  const duty = new FakeDuty();
  duty.held = held;
  const monitor = new QueueMonitor({
    ...{ redis: redis.client({ maxRetriesPerRequest: 1 }), duty, providers: ["eko"], metrics },
    ...{ now: Date.now, retention: RETENTION, log: NO_LOG },
  });
  const windows = async (): Promise<string[]> => {
    await monitor.measure();
    const { values } = (await metrics.registry.getSingleMetric("satyapan_quota_used_ratio")?.get()) ?? { values: [] };
    return values.map(({ labels }) => String(labels["window"]));
  };
  return { duty, windows, metrics, [Symbol.asyncDispose]: async () => await monitor.close() };
}

describe("what workers measure of a queue", () => {
  it("is measured by the one on duty, each time, and shown by the others", async () => {
    await using redis = await startTestRedis();
    const control = new GateControl(redis.client());
    await control.configure(QUEUE, [{ max: 5, ms: 1_000 }]);
    await using first = startMonitor(redis, true);
    await using second = startMonitor(redis, false);
    expect(await first.windows()).toEqual(["5/1s"]);
    const calls = async (): Promise<number> =>
      Number(/cmdstat_zcard:calls=(\d+)/.exec(await redis.client().info("commandstats"))?.[1] ?? 0);
    const before = await calls();
    expect(await second.windows()).toEqual(["5/1s"]);
    expect(await second.metrics.registry.metrics()).toContain(
      `satyapan_queue_jobs{queue="${QUEUE}",state="waiting"} 0`,
    );
    expect(await calls()).toBe(before);
    expect(await redis.client().pttl(MEASURED)).toBeGreaterThan(0);
    await first.windows();
    expect(await calls()).toBeGreaterThan(before);
  });

  it("is measured by whoever is asked where the one on duty was not, or left what cannot be read", async () => {
    await using redis = await startTestRedis();
    const control = new GateControl(redis.client());
    await control.configure(QUEUE, [{ max: 7, ms: 1_000 }]);
    await using other = startMonitor(redis, false);
    expect(await other.windows()).toEqual(["7/1s"]);
    for (const left of ["{", "{}", `{"counts":{"waiting":"many"}}`]) {
      await redis.client().set(MEASURED, left);
      expect(await other.windows()).toEqual(["7/1s"]);
      expect(await redis.client().get(MEASURED)).not.toBe(left);
    }
  });
});

describe("what cannot be measured", () => {
  it("is absent, not as it was before, while Redis is away, and there again after", async () => {
    await using redis = await startTestRedis();
    await new GateControl(redis.client()).configure(QUEUE, [{ max: 5, ms: 1_000 }]);
    await using monitor = startMonitor(redis, true);
    expect(await monitor.windows()).toEqual(["5/1s"]);
    await redis.kill9();
    expect(await monitor.windows()).toEqual([]);
    expect(await monitor.metrics.registry.metrics()).not.toMatch(/^satyapan_(queue|provider|jobs_waiting|quota)\w*\{/m);
    await redis.restart();
    await expect.poll(async () => await monitor.windows()).toEqual(["5/1s"]);
  });
});

describe("jobs that somebody has to look at, that wait, and that came", () => {
  it("are counted until they are settled, with the age of the oldest, the cause of each wait, and what was submitted", async () => {
    await using bundle = await startClientBundle();
    const { client, redis } = bundle;
    await using monitor = startMonitor(redis, true);
    const samples = async (): Promise<Map<string, number>> => {
      await monitor.windows();
      return samplesOf(await monitor.metrics.registry.metrics());
    };
    for (const [index, id] of ["u1", "u2", "w1"].entries()) {
      await client.submit("eko.mobile-otp", { mobile: madeUpMobile(index, "000"), csp_id: "agent1" }, { id });
      await bundle.begin(id, "eko", `ref-${id}`);
    }
    await bundle.finish("u1", "eko", "unknown", { at: Date.now() - 60_000 });
    await bundle.finish("u2", "eko", "unknown");
    await bundle.finish("w1", "eko", "waiting");
    // As a worker puts it away.
    await redis.client().lrem(`bull:${QUEUE}:wait`, 1, "j-w1");
    await redis.client().zadd(`bull:${QUEUE}:delayed`, Date.now() + 60_000, "j-w1");
    const before = await samples();
    expect(before.get(`satyapan_jobs_undecided{queue="${QUEUE}",state="unknown"}`)).toBe(2);
    expect(before.get(`satyapan_jobs_undecided_oldest_seconds{queue="${QUEUE}",state="unknown"}`)).toBeGreaterThan(59);
    expect(before.get(`satyapan_jobs_waiting{queue="${QUEUE}",cause="pending"}`)).toBe(1);
    expect(before.get(`satyapan_jobs_waiting{queue="${QUEUE}",cause="quota"}`)).toBe(0);
    expect(before.get('satyapan_jobs_submitted_total{operation="eko.mobile-otp",lane="interactive"}')).toBe(3);
    await client.settle("u1", "succeeded", { reason: "the provider has it" });
    const after = await samples();
    expect(after.get(`satyapan_jobs_undecided{queue="${QUEUE}",state="unknown"}`)).toBe(1);
    expect(after.get(`satyapan_jobs_undecided_oldest_seconds{queue="${QUEUE}",state="unknown"}`)).toBeLessThan(30);
  });
});

describe("the gauges of a quota", () => {
  it("tell of the windows that it has now, of its share, and of the calls at once", async () => {
    await using redis = await startTestRedis();
    const metrics = new Metrics(new Registry());
    const client = redis.client();
    const monitor = new QueueMonitor({
      ...{ redis: client, duty: ON_DUTY, providers: ["eko"], metrics },
      ...{ now: Date.now, retention: RETENTION, log: NO_LOG },
    });
    const control = new GateControl(client);
    const lines = async (): Promise<string[]> => {
      await monitor.measure();
      const text = await metrics.registry.metrics();
      return text.split("\n").filter((line) => /^satyapan_(quota|calls_in)/.test(line));
    };
    await control.setQuota(QUEUE, parseQuota("1/1s,30/1m", "quota"));
    expect(await lines()).toEqual([
      'satyapan_quota_used_ratio{provider="eko",window="1/1s"} 0',
      'satyapan_quota_used_ratio{provider="eko",window="30/1m"} 0',
      'satyapan_quota_limit_calls{provider="eko",window="1/1s"} 1',
      'satyapan_quota_limit_calls{provider="eko",window="30/1m"} 30',
      'satyapan_quota_remaining_calls{provider="eko",window="1/1s"} 1',
      'satyapan_quota_remaining_calls{provider="eko",window="30/1m"} 30',
      'satyapan_quota_share_ratio{provider="eko"} 1',
      'satyapan_calls_in_flight{provider="eko"} 0',
      'satyapan_calls_in_flight_limit{provider="eko"} 6',
    ]);
    await control.setQuota(QUEUE, parseQuota("0", "quota"));
    await control.setQuota(QUEUE, parseQuota("5/1s,30/1m", "quota"));
    await client.hset(`satyapan:${QUEUE}:control`, { factor: "0.25", factor_worked: "1" });
    expect((await lines()).filter((line) => /used|share/.test(line))).toEqual([
      'satyapan_quota_used_ratio{provider="eko",window="5/1s"} 0',
      'satyapan_quota_used_ratio{provider="eko",window="30/1m"} 0',
      'satyapan_quota_share_ratio{provider="eko"} 0.25',
    ]);
    await monitor.close();
  });
});
