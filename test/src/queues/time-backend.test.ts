import { Queue, RedisQueueBackend, Worker } from "bullmq";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { RedisClock } from "../../../src/redis/clock.ts";
import { redisTimeBackend } from "../../../src/queues/time-backend.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";

const HOUR_MS = 3_600_000;
const CLOSE_MS = 60_000;
/** It only marks that somebody looked lately: Redis never compares it with anything. */
const HARMLESS = ["moveStalledJobsToWait"];

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => await redis.stop());
afterEach(() => {
  vi.restoreAllMocks();
});

const near = (value: unknown, time: number): boolean =>
  (typeof value === "number" || (typeof value === "string" && value !== "")) &&
  Math.abs(Number(value) - time) < CLOSE_MS;

it("gives every script that a worker calls Redis' time, and none its own: look here when BullMQ is updated", async () => {
  const sent: { readonly command: string; readonly args: readonly unknown[] }[] = [];
  const execCommand = Reflect.get(RedisQueueBackend.prototype, "execCommand");
  vi.spyOn(RedisQueueBackend.prototype, "execCommand").mockImplementation(function record(
    this: RedisQueueBackend,
    ...given
  ) {
    const [, command, args] = given;
    sent.push({ command, args });
    return Reflect.apply(execCommand, this, given) as unknown;
  });
  const clock = new RedisClock({ now: () => Date.now() + HOUR_MS });
  const client = redis.client();
  const shared = { connection: client, prefix: "bull" };
  const queue = new Queue("{eko-9}", shared);
  const ended: string[] = [];
  const worker = new Worker(
    queue.name,
    async (job) => {
      if (job.attemptsMade === 0 && job.name !== "good") throw new Error("once");
      await Promise.resolve();
    },
    { ...shared, connection: redis.client(), autorun: false, stalledInterval: 100, drainDelay: 1 },
    redisTimeBackend(clock),
  );
  worker.on("completed", ({ name }) => ended.push(name));
  try {
    const opts = { attempts: 2, removeOnComplete: true, timestamp: clock.now() };
    await queue.add("good", {}, opts);
    await queue.add("again", {}, opts);
    await queue.add("later", {}, { ...opts, backoff: 100 });
    sent.length = 0;
    void worker.run();
    await expect.poll(() => ended.toSorted()).toEqual(["again", "good", "later"]);
    const isStalledCheck = ({ command }: { readonly command: string }): boolean => HARMLESS.includes(command);
    await expect.poll(() => sent.some(isStalledCheck)).toBe(true);
    const commands = new Set(sent.map(({ command }) => command));
    for (const timed of ["moveToActive", "moveToFinished", "moveToDelayed", "retryJob"]) {
      expect(commands).toContain(timed);
      const args = sent.filter(({ command }) => command === timed).map((call) => call.args);
      for (const all of args)
        expect(
          all.filter((value) => near(value, clock.now())),
          timed,
        ).toHaveLength(1);
    }
    const ownTime = sent.filter((call) => !isStalledCheck(call) && call.args.some((value) => near(value, Date.now())));
    expect(ownTime.map(({ command }) => command)).toEqual([]);
  } finally {
    await worker.close();
    await queue.close();
  }
});
