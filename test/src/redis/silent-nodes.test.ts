import { Cluster, Redis } from "ioredis";
import { expect, it } from "vitest";
import { closeRedis, connectRedis } from "../../../src/redis/connection.ts";
import { parseRedisUrl } from "../../../src/redis/url.ts";
import { connected } from "../../support/connected.ts";
import { heard } from "../../support/heard.ts";
import { startTestCluster } from "../../support/redis-cluster.ts";

it("leaves a frozen node as soon as another has its slots, also where it blocks for BullMQ", async () => {
  await using cluster = await startTestCluster();
  await using stack = new AsyncDisposableStack();
  const [frozen, next] = [...cluster.url.matchAll(/:(\d+)/g)].map(([, port]) => {
    const admin = new Redis(Number(port), "127.0.0.1", { replyMapping: "legacy" });
    stack.defer(() => admin.disconnect());
    return admin;
  });
  if (frozen === undefined || next === undefined) throw new Error("a cluster of fewer than two");
  const slots = await slotsOf(frozen);
  const key = await keyIn(slots, next);
  const redis = connectRedis(parseRedisUrl(cluster.url), "worker", () => {});
  if (!(redis instanceof Cluster)) throw new TypeError("not a cluster");
  const blocking = redis.duplicate();
  stack.defer(() => blocking.disconnect());
  stack.defer(async () => await closeRedis(redis));
  await connected(redis);
  if (blocking.status !== "ready") await heard(blocking, "ready");
  await redis.set(key, "before");

  const pid = Number(/process_id:(\d+)/.exec(await frozen.info("server"))?.[1]);
  const popped = blocking.bzpopmin(`{${key}}marker`, 0);
  await expect.poll(async () => await frozen.info("clients"), { interval: 10 }).toContain("blocked_clients:1");
  process.kill(pid, "SIGSTOP");
  const written = redis.set(key, "after");
  await takeOver(next, slots);

  expect(await written).toBe("OK");
  expect(await next.get(key)).toBe("after");
  await next.zadd(`{${key}}marker`, 1, "woken");
  expect(await popped).toEqual([`{${key}}marker`, "woken", "1"]);
});

async function slotsOf(node: Redis): Promise<ReadonlySet<number>> {
  const id = await node.cluster("MYID");
  const all = (await node.cluster("SLOTS")) as unknown as [number, number, [string, number, string]][];
  const own = all.filter(([, , [, , owner]]) => owner === id);
  return new Set(own.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, n) => from + n)));
}

async function keyIn(slots: ReadonlySet<number>, node: Redis): Promise<string> {
  for (let n = 0; ; n++) if (slots.has(await node.cluster("KEYSLOT", `key-${n}`))) return `key-${n}`;
}

/** As in a failover: it has all of them, by a newer epoch. */
async function takeOver(node: Redis, slots: ReadonlySet<number>): Promise<void> {
  const id = await node.cluster("MYID");
  const pipeline = node.pipeline();
  for (const slot of slots) pipeline.cluster("SETSLOT", slot, "NODE", id);
  await pipeline.exec();
  await node.cluster("BUMPEPOCH");
}
