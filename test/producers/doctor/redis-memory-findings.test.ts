import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { redisMemoryFindings } from "../../../producers/doctor/redis-memory-findings.ts";
import { queuePrefix, queueOf } from "../../../src/queues/names.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";

const DAY_MS = 86_400_000;
const CONTROL = `${queuePrefix(queueOf("deepvue"))}control`;

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => await redis.stop());
beforeEach(async () => {
  await redis.client().del(CONTROL);
});

const found = async (offBy = 0) => await redisMemoryFindings(redis.client(), () => Date.now() + offBy);
const lostAt = async (msAgo: number, quotaByHand = "") => {
  const byHand = quotaByHand === "" ? {} : { lost_quota: quotaByHand };
  await redis.client().hset(CONTROL, { quota: "5:1000", lost_at: Date.now() - msAgo, ...byHand });
};

it("is content with clocks that agree and a Redis that lost nothing", async () => {
  expect(await found()).toEqual([{ check: "redis clock", status: "ok", detail: "agrees with ours" }]);
});

it.each([
  [120_000, "120 s behind ours: set this machine's clock (NTP); jobs are timed by Redis'"],
  [-120_000, "120 s ahead of ours: set this machine's clock (NTP); jobs are timed by Redis'"],
])("warns where this machine's clock is %i ms off", async (offBy, detail) => {
  expect(await found(offBy)).toEqual([{ check: "redis clock", status: "warning", detail }]);
});

it("warns for a day that Redis lost its data, and says what is to be done", async () => {
  await lostAt(60_000);
  const [, loss] = await found();
  expect(loss).toMatchObject({ check: "redis data", status: "warning" });
  expect(loss?.detail).toMatch(
    /^deepvue: Redis lost its data at .+: windows of up to a minute counted as full from then\. Jobs that were in it are gone: submit them again$/,
  );
  await lostAt(DAY_MS + 1_000);
  expect(await found()).toHaveLength(1);
});

it("warns of a quota that was set by hand and lost until it is set again", async () => {
  await lostAt(DAY_MS + 1_000, "2:1000");
  const [, loss] = await found();
  expect(loss?.detail).toContain(
    "The quota that was set by hand, 2/1s, was lost: `satyapan quota set deepvue 2/1s` sets it again",
  );
});
