import { expect, it } from "vitest";
import { dueKey, queueOf, recordKey } from "../../../src/queues/names.ts";
import { openChallengesOf } from "../../../src/records/measure-challenges.ts";
import { meanwhile } from "../../support/meanwhile.ts";
import { startTestRedis } from "../../support/redis.ts";

const QUEUE = queueOf("eko");
const NOW = 1_800_000_000_000;

it("challenges are open for as long as they have left, whatever is done with what is due before them", async () => {
  await using redis = await startTestRedis();
  const client = redis.client();
  await client.zadd(dueKey(QUEUE), NOW - 2, "over-1", NOW - 1, "over-2", NOW + 30_000, "soon", NOW + 3_600_000, "late");
  for (const id of ["soon", "late"]) await client.hset(recordKey(QUEUE, id), { state: "succeeded", input: "sealed" });
  const open = { "1m": 1, "3m": 0, "10m": 0, longer: 1 };
  expect(await openChallengesOf(client, QUEUE, NOW)).toEqual(open);
  await using beside = await meanwhile(redis, /zrange/, async (other) => {
    await other.zrem(dueKey(QUEUE), "over-1", "over-2");
  });
  expect(await openChallengesOf(beside.client, QUEUE, NOW)).toEqual(open);
});

it("many challenges are counted by a sample of them", async () => {
  await using redis = await startTestRedis();
  const client = redis.client();
  const ids = Array.from({ length: 400 }, (_, nth) => `send-${nth}`);
  await client.zadd(dueKey(QUEUE), NOW - 1, "over", ...ids.flatMap((id, nth) => [NOW + 60_001 + nth, id]));
  for (const id of ids) await client.hset(recordKey(QUEUE, id), { state: "succeeded", input: "sealed" });
  expect(await openChallengesOf(client, QUEUE, NOW)).toEqual({ "1m": 0, "3m": 400, "10m": 0, longer: 0 });
});
