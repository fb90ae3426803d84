import type { Redis } from "ioredis";

/** Where it begins, ms: far from every real time, so that what asks another clock is found out. */
export const TEST_TIME = 1_800_000_000_000;
/** In every script that asks for the time, once: the linter knows of no other place than clock.lua. */
const REAL = "redis.call('TIME')";

/**
 * Redis' time as a test has it: it stands until it is moved. The scripts that run through this client ask two keys for it in
 * place of Redis; nothing in the scripts themselves knows of that. Keys still expire by the real time.
 */
export class TestClock {
  readonly #client: Redis;
  readonly #keys: readonly [string, string];
  #now = TEST_TIME;

  private constructor(client: Redis, key: string) {
    this.#client = client;
    this.#keys = [`${key}:s`, `${key}:us`];
  }

  static async start(client: Redis, key: string): Promise<TestClock> {
    const clock = new TestClock(client, key);
    const mine = `redis.call('MGET', '${clock.#keys.join("', '")}')`;
    const send = client.eval.bind(client) as (source: string, ...rest: unknown[]) => Promise<unknown>;
    client.eval = async (source: string | Buffer, ...rest: unknown[]) =>
      await send(String(source).replace(REAL, mine), ...rest);
    client.evalsha = async () => await Promise.reject(new Error("NOSCRIPT a test sends each script with its clock"));
    await clock.wait(0);
    return clock;
  }

  get now(): number {
    return this.#now;
  }

  async wait(ms: number): Promise<void> {
    this.#now += ms;
    const [seconds, micros] = this.#keys;
    await this.#client.mset(seconds, Math.floor(this.#now / 1_000), micros, (this.#now % 1_000) * 1_000);
  }

  /** Not before then. */
  async waitUntil(at: number): Promise<void> {
    await this.wait(Math.max(0, at - this.#now));
  }
}
