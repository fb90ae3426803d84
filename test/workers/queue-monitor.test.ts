import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { GateControl } from "../../src/limits/control.ts";
import { parseQuota } from "../../src/limits/parse-quota.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { QueueMonitor } from "../../workers/queue-monitor.ts";
import { startTestRedis } from "../support/redis.ts";

const QUEUE = "{eko-0}";

describe("the gauges of a quota", () => {
  it("tell of the windows that it has now, of its share, and of the calls at once", async () => {
    await using redis = await startTestRedis();
    const metrics = new Metrics(new Registry());
    const client = redis.client();
    const monitor = new QueueMonitor(client, ["eko"], metrics, Date.now);
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
