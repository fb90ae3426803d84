import { Writable } from "node:stream";
import type { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { QueueName } from "../../src/queues/names.ts";
import { brokenParentsKey, type ParentNews, parentsKey } from "../../src/records/parent-outbox.ts";
import { connectRedis } from "../../src/redis/connection.ts";
import { parseRedisUrl } from "../../src/redis/url.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { type ParentHandler, ParentNewsLoop } from "../../workers/parent-news.ts";
import { FakeDuty } from "../support/duty.ts";
import { startTestRedis } from "../support/redis.ts";

const EKO: QueueName = "{eko-0}";
const SOON = { interval: 10 };

async function startLoop(given: Partial<Record<"o" | "b", ParentHandler>> = {}) {
  const stack = new AsyncDisposableStack();
  const redis = stack.use(await startTestRedis());
  const log: string[] = [];
  const sink = new Writable({ write: (chunk, _encoding, done) => (log.push(String(chunk)), done()) });
  const duty = new FakeDuty();
  const heard: string[] = [];
  const hear: ParentHandler = async (_queue, news) => {
    await Promise.resolve(
      heard.push(...news.map(({ id, state, parent }) => `${id} ${state} ${parent.of}/${parent.part}`)),
    );
  };
  let unreadable = 0;
  const start = (): ParentNewsLoop =>
    new ParentNewsLoop({
      ...{ queues: [EKO, "{deepvue-0}"], duty, handlers: { o: hear, ...given } },
      connect: () => connectRedis(parseRedisUrl(redis.url), "client", () => {}),
      metrics: { unreadable: () => void unreadable++ },
      logger: createLogger("debug", sink),
    });
  const client = redis.client();
  return {
    ...{ client, duty, heard, log, start, redis },
    unreadable: () => unreadable,
    tell: async (text: string, queue = EKO) => String(await client.xadd(parentsKey(queue), "*", "e", text)),
    left: async () => await lengthOf(client, parentsKey(EKO)),
    [Symbol.asyncDispose]: async () => await stack.disposeAsync(),
  };
}

async function lengthOf(client: Redis, key: string): Promise<number> {
  return await client.xlen(key);
}

describe("what parents are told", () => {
  it("comes in order, from before and after the start, and is removed", async () => {
    await using bundle = await startLoop();
    const { tell, heard, left } = bundle;
    await tell("j-1 succeeded o:x:a");
    await tell("j-2 failed o:y:b");
    const loop = bundle.start();
    await expect.poll(() => heard, SOON).toEqual(["j-1 succeeded x/a", "j-2 failed y/b"]);
    await tell("j-3 unknown o:x:c");
    await tell("d-1 expired o:z:a", "{deepvue-0}");
    await expect
      .poll(() => heard.toSorted(), SOON)
      .toEqual(["d-1 expired z/a", "j-1 succeeded x/a", "j-2 failed y/b", "j-3 unknown x/c"]);
    await expect.poll(left, SOON).toBe(0);
    await loop.close();
  });

  it("waits for a handler that Redis refuses, and comes again, all of it in order", async () => {
    let refusals = 2;
    const heard: string[] = [];
    await using bundle = await startLoop({
      o: async (_queue, news) => {
        if (refusals-- > 0) throw new SatyapanError(ErrorCode.REDIS_UNREACHABLE, "Redis cannot be reached");
        await Promise.resolve(heard.push(...news.map(({ id }) => id)));
      },
    });
    for (const id of ["1", "2", "3"]) await bundle.tell(`${id} succeeded o:x:a`);
    const loop = bundle.start();
    await expect.poll(() => heard, SOON).toEqual(["1", "2", "3"]);
    await expect.poll(bundle.left, SOON).toBe(0);
    expect(bundle.unreadable()).toBe(0);
    await loop.close();
  });

  it("is set aside and counted where nobody can take it, and holds back no other", async () => {
    const heard: string[] = [];
    const take = async (news: readonly ParentNews[]): Promise<void> => {
      if (news.some(({ id }) => id === "bad")) throw new TypeError("a fault of ours");
      await Promise.resolve(heard.push(...news.map(({ id }) => id)));
    };
    await using bundle = await startLoop({ o: async (_queue, news) => await take(news) });
    const { client, tell, left } = bundle;
    for (const id of ["1", "bad", "2"]) await tell(`${id} succeeded o:x:a`);
    await tell("not an entry of ours");
    await tell("4 succeeded b:no-handler:1");
    await client.xadd(parentsKey(EKO), "*", "other", "field");
    await tell("3 succeeded o:x:a");
    const loop = bundle.start();
    await expect.poll(() => heard, SOON).toEqual(["1", "2", "3"]);
    await expect.poll(left, SOON).toBe(0);
    const kept = await client.xrange(brokenParentsKey(EKO), "-", "+");
    expect(kept.map(([, fields]) => String(fields[1])).toSorted()).toEqual(
      ["4 succeeded b:no-handler:1", "bad succeeded o:x:a", "field", "not an entry of ours"].toSorted(),
    );
    expect(bundle.unreadable()).toBe(4);
    await loop.close();
  });

  it("comes from the second stream while something else stands in the first one's place, which is said once", async () => {
    await using bundle = await startLoop();
    const { client, heard, log } = bundle;
    await client.set(parentsKey(EKO), "something else");
    await client.xadd(`${parentsKey(EKO)}:aside`, "*", "e", "1 succeeded o:x:a");
    const loop = bundle.start();
    await expect.poll(() => heard, SOON).toEqual(["1 succeeded x/a"]);
    await client.xadd(`${parentsKey(EKO)}:aside`, "*", "e", "2 succeeded o:x:b");
    await expect.poll(() => heard, SOON).toEqual(["1 succeeded x/a", "2 succeeded x/b"]);
    expect(log.filter((line) => line.includes("holds something else"))).toHaveLength(1);
    await loop.close();
  });

  it("is left to who has the duty, and goes on after Redis was away", async () => {
    await using bundle = await startLoop();
    const { duty, heard, tell, redis } = bundle;
    duty.held = false;
    await tell("1 succeeded o:x:a");
    const loop = bundle.start();
    await redis.restart();
    await expect.poll(bundle.left, SOON).toBe(1);
    expect(heard).toEqual([]);
    duty.held = true;
    await expect.poll(() => heard, SOON).toEqual(["1 succeeded x/a"]);
    await redis.restart();
    await tell("2 succeeded o:x:b");
    await expect.poll(() => heard, SOON).toEqual(["1 succeeded x/a", "2 succeeded x/b"]);
    await loop.close();
  });
});
