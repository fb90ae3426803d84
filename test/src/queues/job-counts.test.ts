import { expect, it } from "vitest";
import { jobCounts } from "../../../src/queues/job-counts.ts";
import { bullmqPrefix, queueOf } from "../../../src/queues/names.ts";
import { startTestRedis } from "../../support/redis.ts";

const QUEUE = queueOf("eko");

it("entries that were taken since they were counted are not counted as if they were like those that are left", async () => {
  await using redis = await startTestRedis();
  const client = redis.client();
  await client.rpush(`${bullmqPrefix(QUEUE)}wait`, "j-one", "t-64b-left");
  expect(await jobCounts(client, QUEUE, { waiting: 20, active: 0, prioritized: 0 })).toMatchObject({ waiting: 65 });
});

it("of a long line some are looked at, and the others are taken to be like them", async () => {
  await using redis = await startTestRedis();
  const client = redis.client();
  await client.rpush(`${bullmqPrefix(QUEUE)}wait`, ...Array.from({ length: 1_500 }, (_, nth) => `t-2b-${nth}`));
  expect(await jobCounts(client, QUEUE, { waiting: 1_500, active: 0, prioritized: 0 })).toMatchObject({
    waiting: 3_000,
  });
});
