import { Queue, RedisQueueBackend, Worker } from "bullmq";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { RedisClock } from "../../../src/redis/clock.ts";
import { quietStalledCheck } from "../../../src/queues/stalled-check.ts";
import { redisTimeBackend } from "../../../src/queues/time-backend.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";

const EVERY_MS = 20;

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => await redis.stop());
afterEach(() => {
  vi.restoreAllMocks();
});

it("asks for no more than how many entries are in hand while none is, and finds one whose worker died", async () => {
  const checks = vi.spyOn(RedisQueueBackend.prototype, "moveStalledJobsToWait");
  const client = redis.client();
  const backend = quietStalledCheck(redisTimeBackend(new RedisClock({ now: () => Date.now() })));
  const shared = { connection: client, prefix: "bull" };
  const queue = new Queue("{eko-8}", shared);
  const open = (work: () => Promise<void>, lockDuration: number): Worker =>
    new Worker(
      queue.name,
      work,
      { ...shared, connection: redis.client(), autorun: false, stalledInterval: EVERY_MS, lockDuration, drainDelay: 1 },
      backend,
    );
  const looks = async (): Promise<number> =>
    Number(/cmdstat_llen:calls=(\d+)/.exec(await client.info("commandstats"))?.[1]);
  const dead = open(async () => {}, 1);
  const done: string[] = [];
  const alive = open(async () => await Promise.resolve(void done.push("done")), 30_000);
  try {
    void alive.run();
    await expect.poll(looks).toBeGreaterThan(3);
    expect(checks).not.toHaveBeenCalled();
    await alive.pause();
    await queue.add("left", {});
    expect((await dead.getNextJob("token"))?.name).toBe("left");
    void alive.resume();
    await expect.poll(() => done).toEqual(["done"]);
    expect(checks).toHaveBeenCalled();
  } finally {
    await Promise.all([alive.close(), dead.close()]);
    await queue.close();
  }
});
