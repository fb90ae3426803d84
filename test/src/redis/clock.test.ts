import { describe, expect, it } from "vitest";
import { RedisClock } from "../../../src/redis/clock.ts";
import { startTestRedis } from "../../support/redis.ts";

/** A machine whose time of day is `offBy` off, and a Redis at the other end of a line: `ask` says how long each way takes. */
function setup(offBy: number) {
  let passed = 0;
  let slept = 0;
  let off = offBy;
  const trueTime = (): number => 1_700_000_000_000 + passed + slept;
  const clock = new RedisClock({ now: () => trueTime() + off, monotonic: () => 5_000 + passed });
  const ask = (thereMs: number, backMs = thereMs): void => {
    const sentAt = clock.monotonic;
    passed += thereMs;
    const redisMs = trueTime();
    passed += backMs;
    clock.observe({ redisMs, sentAt, receivedAt: clock.monotonic });
  };
  return {
    ...{ clock, ask, trueTime },
    pass: (ms: number) => (passed += ms),
    sleep: (ms: number) => (slept += ms),
    set: (to: number) => (off = to),
  };
}

describe("Redis' time", () => {
  it("is this machine's until Redis was asked", () => {
    const { clock, trueTime } = setup(-120_000);
    expect(clock.now()).toBe(trueTime() - 120_000);
    expect(clock.offsetMs).toBe(0);
  });

  it.each([-120_000, 120_000, 3_600_000])("is right where this machine's is %i ms off", (offBy) => {
    const { clock, ask, trueTime, pass } = setup(offBy);
    ask(1);
    pass(10_000);
    expect(Math.abs(clock.now() - trueTime())).toBeLessThanOrEqual(1);
    expect(Math.abs(clock.offsetMs + offBy)).toBeLessThanOrEqual(1);
  });

  it("is learnt from the shortest round trips: a slow one, all of it on the way back, spoils nothing", () => {
    const { clock, ask, trueTime } = setup(0);
    ask(1);
    ask(0, 4_000);
    expect(Math.abs(clock.now() - trueTime())).toBeLessThanOrEqual(1);
  });

  it("does not change when this machine's clock is set", () => {
    const { clock, ask, trueTime, set } = setup(0);
    ask(1);
    set(-7_200_000);
    expect(Math.abs(clock.now() - trueTime())).toBeLessThanOrEqual(1);
  });

  it("is right again with the first answer after the machine slept for hours", () => {
    const { clock, ask, trueTime, sleep } = setup(0);
    ask(1);
    sleep(7_200_000);
    ask(1);
    expect(Math.abs(clock.now() - trueTime())).toBeLessThanOrEqual(1);
  });

  it("is asked of Redis itself, and not again within the time that one answer is good", async () => {
    await using redis = await startTestRedis();
    const client = redis.client();
    const clock = new RedisClock({ now: () => 0 });
    await clock.learn(client, "{eko-0}", 10_000);
    const [seconds] = await client.time();
    expect(Math.abs(clock.now() / 1_000 - Number(seconds))).toBeLessThan(2);
    await client.quit();
    await clock.learn(client, "{eko-0}", 10_000);
  });
});
