import { expect, it } from "vitest";
import { spreadSample } from "../../../src/records/spread-sample.ts";
import { startTestRedis } from "../../support/redis.ts";

it("a sample of a sorted set is all of few members, and of many the first, the last, and others between them", async () => {
  await using redis = await startTestRedis();
  const client = redis.client();
  await client.zadd("set", ...Array.from({ length: 1_000 }, (_, nth) => [nth, `m${nth}`]).flat());
  expect(await spreadSample(client, "set", { first: 10, count: 3, most: 100 })).toEqual({
    members: ["m10", "m11", "m12"],
    each: 1,
  });
  expect(await spreadSample(client, "set", { first: 10, count: 0, most: 100 })).toEqual({ members: [], each: 1 });
  const { members: many, each } = await spreadSample(client, "set", { first: 100, count: 800, most: 100 });
  expect(each).toBe(8);
  expect(many).toHaveLength(100);
  expect([many[0], many.at(-1)]).toEqual(["m100", "m899"]);
  const middle = many.filter((member) => Number(member.slice(1)) > 300 && Number(member.slice(1)) < 700);
  expect(middle.length).toBeGreaterThan(20);
});
