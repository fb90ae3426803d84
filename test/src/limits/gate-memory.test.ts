import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GateControl } from "../../../src/limits/control.ts";
import { GateMemory, type GateLoss } from "../../../src/limits/gate-memory.ts";
import { queuePrefix, type QueueName } from "../../../src/queues/names.ts";
import { RedisClock } from "../../../src/redis/clock.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";

const DAY = 86_400_000;
const QUOTA = [
  { max: 2, ms: 1_000 },
  { max: 100, ms: DAY },
];

let redis: TestRedis;
let made = 0;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => {
  await redis.stop();
});

function setup() {
  const client = redis.client();
  const queue: QueueName = `{eko-${++made}}`;
  const losses: GateLoss[] = [];
  const errors: unknown[] = [];
  const broken: (string | null)[] = [];
  let otherServers = 0;
  const newMemory = (connection = redis.client()): GateMemory =>
    new GateMemory({
      ...{ redis: connection, queue, quota: QUOTA, clock: new RedisClock({ now: Date.now }) },
      onLost: (loss) => losses.push(loss),
      onOtherServer: () => (otherServers += 1),
      onBroken: (fields) => broken.push(fields),
      onError: (error) => errors.push(error),
    });
  const keys = { control: `${queuePrefix(queue)}control`, permits: `${queuePrefix(queue)}permits` };
  const used = async () => (await new GateControl(client).read(queue)).windows.map((window) => window.used);
  return { client, queue, losses, broken, errors, newMemory, keys, used, otherServers: () => otherServers };
}

describe("what a worker remembers of a gate", () => {
  it("takes a gate that nobody knew for a new one: no loss, and all windows empty", async () => {
    const { newMemory, losses, used, client, keys } = setup();
    const [one, other] = [newMemory(), newMemory()];
    await Promise.all([one.confirmed(), other.confirmed()]);
    expect(losses).toEqual([]);
    expect(one.epoch).toBe(other.epoch);
    expect(await client.hget(keys.control, "epoch")).toBe(one.epoch);
    expect(await used()).toEqual([0, 0]);
  });

  it("takes no loss for a start of another worker that comes in the middle of its own", async () => {
    const { newMemory, losses, used } = setup();
    const connection = redis.client();
    const hget = connection.hget.bind(connection);
    const other = newMemory();
    // The gate was looked at before this, and is not there.
    connection.hget = async (...args: Parameters<typeof hget>) => {
      await other.confirmed();
      // It writes this without waiting for it.
      await redis.client().hset(String(args[0]), { [String(args[1])]: other.epoch });
      return await hget(...args);
    };
    const one = newMemory(connection);
    await one.confirmed();
    expect(losses).toEqual([]);
    expect(one.epoch).toBe(other.epoch);
    expect(await used()).toEqual([0, 0]);
  });

  it("starts after a loss with short windows full and long ones as they were, once for all workers", async () => {
    const { newMemory, losses, used, client, keys } = setup();
    const [one, other] = [newMemory(), newMemory()];
    await Promise.all([one.confirmed(), other.confirmed()]);
    const hourAgo = Date.now() - 3_600_000;
    await client.rpush(keys.permits, ...Array.from({ length: 30 }, (_, n) => String(hourAgo - n)));
    await one.look();
    await client.del(keys.control, keys.permits);
    await Promise.all([one.look(), other.look()]);
    await Promise.all([one.look(), other.look()]);
    expect(losses).toHaveLength(2);
    expect(losses.filter(({ broughtBack }) => broughtBack)).toHaveLength(1);
    expect(one.epoch).toBe(other.epoch);
    expect(await used()).toEqual([2, 32]);
  });

  it("knows all permits of the windows, as old and as many as they are, and none that was given back", async () => {
    const { newMemory, client, keys } = setup();
    const memory = newMemory();
    await memory.confirmed();
    const from = Date.now() - 3_600_000;
    // More than a page, the oldest far behind what a look reads again.
    await client.rpush(keys.permits, ...Array.from({ length: 1_200 }, (_, n) => String(from - n * 1_000)));
    await memory.look();
    await memory.look();
    const permit = String(Date.now());
    memory.note(permit);
    memory.forget(permit);
    await client.del(keys.control, keys.permits);
    await memory.look();
    // And the two that fill the short window.
    expect(await client.llen(keys.permits)).toBe(1_202);
  });

  it("takes a quota that is gone for a loss", async () => {
    const { newMemory, losses, used, client, keys } = setup();
    const memory = newMemory();
    await memory.confirmed();
    await client.hdel(keys.control, "quota");
    await memory.look();
    expect(losses).toMatchObject([{ broughtBack: true }]);
    expect(await used()).toEqual([2, 2]);
  });

  it("looks again where it came into doubt while it looked", async () => {
    const { newMemory, losses, client, keys } = setup();
    const memory = newMemory();
    await memory.confirmed();
    const looking = memory.look();
    memory.doubt();
    await looking;
    await client.del(keys.control, keys.permits);
    await memory.confirmed();
    expect(losses).toHaveLength(1);
  });

  it("knows a loss also where it starts only then: another slot knows the epoch", async () => {
    const { newMemory, losses, used, client, keys } = setup();
    await newMemory().confirmed();
    await client.del(keys.control, keys.permits);
    await newMemory().confirmed();
    expect(losses).toEqual([{ broughtBack: true, quotaByHand: null }]);
    expect(await used()).toEqual([2, 2]);
  });

  it("fills the windows also where a worker that was just started took the empty gate for a new one", async () => {
    const { newMemory, losses, used, client, keys } = setup();
    const old = newMemory();
    await old.confirmed();
    await client.del(keys.control, keys.permits, "satyapan:{audit}:epochs");
    await newMemory().confirmed();
    expect(losses).toEqual([]);
    await old.look();
    expect(losses).toMatchObject([{ broughtBack: true }]);
    expect(await used()).toEqual([2, 2]);
  });

  it("enters its permits again that another server lacks, and lets nobody through until all had the time to", async () => {
    const { newMemory, losses, used, client, keys, otherServers } = setup();
    const memory = newMemory();
    await memory.confirmed();
    const permit = String(Date.now());
    await client.lpush(keys.permits, permit, permit);
    memory.note(permit);
    memory.note(permit);
    const doubts = memory.doubts;
    await client.del(keys.permits);
    const before = Date.now();
    await redis.restart();
    await expect.poll(() => memory.doubts).toBeGreaterThan(doubts);
    await memory.confirmed();
    expect(await client.lrange(keys.permits, 0, -1)).toEqual([permit, permit]);
    expect((await used())[1]).toBe(2);
    expect(losses).toEqual([]);
    expect(otherServers()).toBe(1);
    // As noted: read, it is null as soon as it is over, after 300 ms.
    expect(Number(await client.hget(keys.control, "confirm_until"))).toBeGreaterThan(before);
  });

  it("brings back what a server refused at first, as one that is not promoted yet, without being asked again", async () => {
    const { newMemory, losses, errors, used, client, keys } = setup();
    // Not started: it looks by itself only where it is in doubt.
    await newMemory().confirmed();
    await client.del(keys.control, keys.permits);
    await client.config("SET", "min-replicas-to-write", "1");
    await client.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await expect.poll(() => errors.length).toBeGreaterThan(1);
    expect(String(errors[0])).toContain("NOREPLICAS");
    expect(losses).toEqual([]);
    await client.config("SET", "min-replicas-to-write", "0");
    await expect.poll(used).toEqual([2, 2]);
    expect(losses).toMatchObject([{ broughtBack: true }]);
  });
});
