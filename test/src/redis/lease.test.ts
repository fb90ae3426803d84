import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { sleeplessClock } from "../../../src/base/sleepless-clock.ts";
import { Lease, type LeaseOptions, WORKERS_LEASE_KEY } from "../../../src/redis/lease.ts";
import { parseRedisUrl } from "../../../src/redis/url.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";
import { Script } from "../../support/script.ts";
import { Lived } from "../../support/lived.ts";

let server: TestRedis;
beforeAll(async () => void (server = await startTestRedis()));
afterAll(async () => await server.stop());
beforeEach(async () => void (await server.client().flushall()));

/** As a worker has it, with a connection of its own that fails fast; its time is short. */
async function open(options: Partial<LeaseOptions> = {}) {
  const errors: unknown[] = [];
  const changes: boolean[] = [];
  const redis = server.client({ maxRetriesPerRequest: 0, enableOfflineQueue: false, lazyConnect: true });
  await redis.connect();
  const lease = await Lease.open({
    ...{ redis, key: WORKERS_LEASE_KEY, random: Math.random, leaseMs: 400 },
    ...{ onError: (error: unknown) => errors.push(error), onChange: (held: boolean) => changes.push(held) },
    ...options,
  });
  return { lease, redis, errors, changes };
}

function startHolder(leaseMs: number): Script {
  const target = parseRedisUrl(server.url);
  if (target.kind !== "unix") throw new Error("the script speaks to sockets");
  return new Script("lease-holder.ts", [target.path, String(leaseMs)]);
}

const SOON = { interval: 5 };

describe("the lease", () => {
  it("is the first one's from the start, and the other's soon after that one closed", async () => {
    const { lease: first, changes } = await open();
    const { lease: second } = await open();
    expect([first.held, second.held]).toEqual([true, false]);
    await first.close();
    expect(first.held).toBe(false);
    await expect.poll(() => second.held, SOON).toBe(true);
    expect(changes).toEqual([true]);
    await second.close();
    expect(await server.client().exists(WORKERS_LEASE_KEY)).toBe(0);
  });

  it("is over for a holder whose machine slept for longer, before it has asked again", async () => {
    let sleptMs = 0;
    const monotonic = sleeplessClock(() => Date.now() + sleptMs);
    await using lease = (await open({ leaseMs: 60_000, monotonic })).lease;
    expect(lease.held).toBe(true);
    sleptMs = 60_001;
    expect(lease.held).toBe(false);
  });

  it("stays with its holder for as long as that lives", async () => {
    await using first = (await open({ leaseMs: 2_000 })).lease;
    await using second = (await open({ leaseMs: 50 })).lease;
    const until = performance.now() + 1_500;
    await expect
      .poll(() => {
        expect([first.held, second.held]).toEqual([true, false]);
        return performance.now() > until;
      }, SOON)
      .toBe(true);
  });

  it("has never two holders, however often it changes hands", async () => {
    const all = [await open({ leaseMs: 60 }), await open({ leaseMs: 60 }), await open({ leaseMs: 60 })];
    const holders = () => all.filter(({ lease }) => lease.held);
    for (let times = 0; times < 10; times++) {
      await expect
        .poll(() => {
          expect(holders().length).toBeLessThanOrEqual(1);
          return holders().length;
        }, SOON)
        .toBe(1);
      await holders()[0]?.lease.stepAside();
    }
    await Promise.all(all.map(async ({ lease }) => await lease.close()));
  });

  it("is another's within five seconds after its holder was killed", async () => {
    await using holder = startHolder(4_000);
    expect(await holder.line()).toBe("true");
    await using next = (await open({ leaseMs: 4_000 })).lease;
    expect(next.held).toBe(false);
    await holder.kill9();
    using since = new Lived();
    await expect.poll(() => next.held, SOON).toBe(true);
    expect(since.ms).toBeLessThan(5_000);
  });

  it("is lost to who was frozen, who knows it as soon as it wakes", async () => {
    await using holder = startHolder(400);
    expect(await holder.line()).toBe("true");
    holder.child.kill("SIGSTOP");
    await using next = (await open()).lease;
    await expect.poll(() => next.held, SOON).toBe(true);
    holder.child.kill("SIGCONT");
    const said = holder.line();
    holder.child.stdin?.write("?\n");
    expect(await said).toBe("false");
    expect(next.held).toBe(true);
  });

  it("ends by its holder's own clock, before another can have it", async () => {
    let now = 0;
    const { lease, redis } = await open({ monotonic: () => now });
    expect(lease.held).toBe(true);
    redis.disconnect();
    now = 399;
    expect(lease.held).toBe(true);
    now = 400;
    expect(lease.held).toBe(false);
    await lease.close();
  });

  it("is nobody's while Redis is away, and somebody's again afterwards", async () => {
    const { lease, errors, changes } = await open();
    await server.kill9();
    await expect.poll(() => lease.held, SOON).toBe(false);
    await expect.poll(() => errors.length, SOON).toBeGreaterThan(0);
    await server.restart();
    await expect.poll(() => lease.held, SOON).toBe(true);
    await expect.poll(() => changes, SOON).toEqual([true, false, true]);
    await lease.close();
  });

  it("comes back to who stepped aside where nobody else wants it", async () => {
    await using lease = (await open()).lease;
    await lease.stepAside();
    expect(lease.held).toBe(false);
    await expect.poll(() => lease.held, SOON).toBe(true);
  });

  it("costs who waits for it one command in its time", async () => {
    const client = server.client();
    await using first = (await open({ leaseMs: 60_000 })).lease;
    await using second = (await open({ leaseMs: 60_000 })).lease;
    expect([first.held, second.held]).toEqual([true, false]);
    const calls = async (command: string) =>
      Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await client.info("commandstats"))?.[1] ?? 0);
    const before = [await calls("pttl"), await calls("evalsha"), await calls("eval")];
    await using third = (await open({ leaseMs: 60_000 })).lease;
    expect(third.held).toBe(false);
    expect([await calls("pttl"), await calls("evalsha"), await calls("eval")]).toEqual([
      (before[0] ?? 0) + 1,
      before[1],
      before[2],
    ]);
  });
});
