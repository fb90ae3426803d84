import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { GateControl } from "../../src/limits/control.ts";
import { parseQuota } from "../../src/limits/parse-quota.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { QueueMonitor } from "../../workers/queue-monitor.ts";
import { FakeDuty, ON_DUTY } from "../support/duty.ts";
import { startTestRedis, type TestRedis } from "../support/redis.ts";

const QUEUE = "{eko-0}";
const MEASURED = `satyapan:${QUEUE}:measured`;

/** One process's monitor, and the lines that its scrape has of the quota. */
function startMonitor(redis: TestRedis, held: boolean) {
  const metrics = new Metrics(new Registry());
  const duty = new FakeDuty();
  duty.held = held;
  const monitor = new QueueMonitor(redis.client({ maxRetriesPerRequest: 1 }), duty, ["eko"], metrics, Date.now);
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

describe("the gauges of a quota", () => {
  it("tell of the windows that it has now, of its share, and of the calls at once", async () => {
    await using redis = await startTestRedis();
    const metrics = new Metrics(new Registry());
    const client = redis.client();
    const monitor = new QueueMonitor(client, ON_DUTY, ["eko"], metrics, Date.now);
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
      'satyapan_quota_share_ratio{provider="eko"} 1',
      'satyapan_calls_in_flight{provider="eko"} 0',
      'satyapan_calls_in_flight_limit{provider="eko"} 6',
    ]);
    await control.setQuota(QUEUE, parseQuota("0", "quota"));
    await control.setQuota(QUEUE, parseQuota("5/1s,30/1m", "quota"));
    await client.hset(`satyapan:${QUEUE}:control`, { factor: "0.25", factor_worked: "1" });
    expect((await lines()).slice(0, 3)).toEqual([
      'satyapan_quota_used_ratio{provider="eko",window="30/1m"} 0',
      'satyapan_quota_used_ratio{provider="eko",window="5/1s"} 0',
      'satyapan_quota_share_ratio{provider="eko"} 0.25',
    ]);
    await monitor.close();
  });
});
