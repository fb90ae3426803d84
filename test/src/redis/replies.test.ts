import { expect, it } from "vitest";
import { repliesOf } from "../../../src/redis/replies.ts";
import { startTestRedis } from "../../support/redis.ts";

it("the replies of a pipeline come in order, one of another type as what is given for it, and every other error is thrown", async () => {
  await using redis = await startTestRedis();
  const client = redis.client();
  await client.set("text", "one");
  expect(await repliesOf(client.pipeline().get("text").hgetall("none"))).toEqual(["one", {}]);
  const misplaced = () => client.pipeline().hgetall("text").get("text");
  expect(await repliesOf(misplaced(), null)).toEqual([null, "one"]);
  await expect(repliesOf(misplaced())).rejects.toThrow("WRONGTYPE");
  await expect(repliesOf(client.pipeline().get("text").call("no-such-command"), null)).rejects.toThrow("ERR unknown");
});

it("a pipeline of nothing asks nothing, also where Redis is away", async () => {
  await using redis = await startTestRedis();
  const client = redis.client({ maxRetriesPerRequest: 0 });
  await client.ping();
  await redis.kill9();
  expect(await repliesOf(client.pipeline())).toEqual([]);
});

it("a connection that is lost midway is an error, not the lack of what was asked for", async () => {
  await using redis = await startTestRedis();
  const client = redis.client({ maxRetriesPerRequest: 0 });
  await client.ping();
  await redis.kill9();
  await expect(repliesOf(client.pipeline().hmget("satyapan:{eko-0}:job:x", "state"), [])).rejects.toThrow();
});
