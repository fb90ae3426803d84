import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { samplesOf } from "../support/exposition.ts";
import { startWorkerBundle } from "../support/worker.ts";

async function scrape(port: number): Promise<Map<string, number>> {
  const reply = await fetch(`http://127.0.0.1:${port}/metrics`);
  expect(reply.status).toBe(200);
  return samplesOf(await reply.text());
}

describe("the metrics of a worker", () => {
  it("say how Redis is, from a real write, and what it says of itself", async () => {
    await using bundle = await startWorkerBundle();
    const { metricsPort } = await bundle.startWorker();
    const samples = await scrape(metricsPort);
    expect(samples.get("satyapan_redis_up")).toBe(1);
    expect(samples.get("satyapan_redis_writable")).toBe(1);
    expect(samples.get("satyapan_redis_write_seconds")).toBeGreaterThan(0);
    expect(samples.get('satyapan_redis_role{role="master"}')).toBe(1);
    expect(samples.get("satyapan_redis_noeviction")).toBe(1);
    expect(samples.get("satyapan_redis_persists")).toBe(1);
    expect(samples.get("satyapan_redis_memory_bytes")).toBeGreaterThan(500_000);
    expect(samples.get("satyapan_redis_commands_total")).toBeGreaterThan(10);
    expect(samples.get("satyapan_redis_evicted_keys_total")).toBe(0);
    expect(samples.get("satyapan_worker_ready")).toBe(1);
    expect(samples.get("satyapan_keys_lacking")).toBe(0);
    expect(samples.get("nodejs_eventloop_lag_p99_seconds")).toBeGreaterThan(0);
    expect(samples.size).toBeLessThan(1_000);
  });

  it("are answered while Redis is away, without what cannot be known, and whole again when it is back", async () => {
    await using bundle = await startWorkerBundle();
    const { metricsPort } = await bundle.startWorker();
    await scrape(metricsPort);
    await bundle.redis.kill9();
    const away = await scrape(metricsPort);
    expect(away.get("satyapan_redis_up")).toBe(0);
    expect(away.get("satyapan_redis_writable")).toBe(0);
    expect(away.get("satyapan_worker_ready")).toBe(0);
    const gone =
      /^satyapan_(queue_|quota_|provider_|jobs_waiting|jobs_undecided|audit_backlog|redis_(write_seconds|memory|role))/;
    expect([...away.keys()].filter((name) => gone.test(name))).toEqual([]);
    await bundle.redis.restart();
    await expect.poll(async () => (await scrape(metricsPort)).get("satyapan_redis_up")).toBe(1);
    expect((await scrape(metricsPort)).has('satyapan_queue_jobs{queue="{eko-0}",state="waiting"}')).toBe(true);
  });

  it("cost Redis for a hundred scrapes at once about what they cost for one", async () => {
    await using bundle = await startWorkerBundle();
    const { metricsPort } = await bundle.startWorker();
    const redis = bundle.redis.client();
    /** The number of times that a worker asked how Redis is: once for each page. */
    const pages = async (): Promise<number> =>
      Number(/^cmdstat_info:calls=(\d+)/m.exec(await redis.info("commandstats"))?.[1] ?? 0);
    await scrape(metricsPort);
    const first = await pages();
    await scrape(metricsPort);
    const one = (await pages()) - first;
    const before = await pages();
    const socket = connect(metricsPort, "127.0.0.1");
    const ask = "GET /metrics HTTP/1.1\r\nHost: a\r\n";
    // In one piece, so that they are at once; a busy machine may read it in a few.
    socket.write(`${`${ask}\r\n`.repeat(99)}${ask}Connection: close\r\n\r\n`);
    const answered = await text(socket);
    expect(answered.match(/^satyapan_redis_up 1$/gm)).toHaveLength(100);
    expect((await pages()) - before).toBeLessThanOrEqual(one + 9);
  });

  it("tell a Redis that takes no writes from one that is away, and count what it refused", async () => {
    await using bundle = await startWorkerBundle();
    const { metricsPort } = await bundle.startWorker();
    await bundle.redis.client().config("SET", "maxmemory", "1");
    const full = await scrape(metricsPort);
    expect(full.get("satyapan_redis_up")).toBe(1);
    expect(full.get("satyapan_redis_writable")).toBe(0);
    expect(full.get('satyapan_redis_refusals_total{word="OOM"}')).toBeGreaterThanOrEqual(1);
    expect(full.get("satyapan_redis_memory_limit_bytes")).toBe(1);
    await bundle.redis.client().config("SET", "maxmemory", "0");
    await expect.poll(async () => (await scrape(metricsPort)).get("satyapan_redis_writable")).toBe(1);
  });
});
