import { LuaPart } from "./lua-source.ts";
import { LuaScript } from "./script.ts";
import type { RedisClient } from "./connection.ts";

/** From here on the difference matters to people and is spoken of, in ms: less is usual between machines that keep time. */
const CLOCK_MATTERS_MS = 2_000;
/** What was learnt is forgotten after one to two of these, in ms: clocks drift apart by some ms in it. */
const PERIOD_MS = 60_000;

/** One answer to TIME; when it was asked for and came is by our own monotonic clock. All in ms. */
export interface TimeSample {
  readonly redisMs: number;
  readonly sentAt: number;
  readonly receivedAt: number;
}

/** Redis' clock minus our monotonic one lies between these, in ms. */
interface Bounds {
  readonly low: number;
  readonly high: number;
}

const ANYTHING: Bounds = { low: -Infinity, high: Infinity };

/** Redis' time in Lua. */
export const CLOCK = new LuaPart(new URL("clock.lua", import.meta.url));

export const TIME = new LuaScript(new URL("time.lua", import.meta.url), { needs: [CLOCK] });

export interface RedisClockDeps {
  /** This machine's time of day, ms; default in production: `Date.now`. */
  readonly now: () => number;
  /** Never set, never put back; ms. Default `performance.now`. */
  readonly monotonic?: () => number;
}

/**
 * The time as Redis has it: every time that is compared with Redis' clock, or that others read, is by this one, whatever
 * this machine's clock says. Redis' time is tied to the monotonic clock, so a time of day that is set changes nothing; after
 * a machine slept (its monotonic clock stood still) the next answer contradicts what was known, and only that counts.
 */
export class RedisClock {
  readonly #now: () => number;
  readonly #monotonic: () => number;
  #current = ANYTHING;
  #previous = ANYTHING;
  #periodFrom = Number.NEGATIVE_INFINITY;
  #learntAt = Number.NEGATIVE_INFINITY;

  constructor({ now, monotonic = () => performance.now() }: RedisClockDeps) {
    this.#now = now;
    this.#monotonic = monotonic;
  }

  /** Asks Redis, unless it was asked in the last `withinMs`. Rejects where Redis is away. */
  async learn(redis: RedisClient, key: string, withinMs = 0): Promise<void> {
    const sentAt = this.#monotonic();
    if (sentAt - this.#learntAt < withinMs) return;
    const time = (await TIME.run(redis, [key], {})) as readonly string[];
    this.observe({ redisMs: timeOf(time), sentAt, receivedAt: this.#monotonic() });
  }

  /** Each answer bounds the difference to its own round trip; the shortest ones narrow it down. */
  observe({ redisMs, sentAt, receivedAt }: TimeSample): void {
    this.#learntAt = receivedAt;
    if (receivedAt - this.#periodFrom >= PERIOD_MS) {
      this.#previous = this.#current;
      this.#current = ANYTHING;
      this.#periodFrom = receivedAt;
    }
    const seen = { low: redisMs - receivedAt, high: redisMs - sentAt };
    const all = intersect(intersect(this.#previous, this.#current), seen);
    if (all.low <= all.high) {
      this.#current = intersect(this.#current, seen);
    } else {
      this.#previous = ANYTHING;
      this.#current = seen;
      this.#periodFrom = receivedAt;
    }
  }

  /** Redis' time in ms; this machine's until it was learnt. */
  now(): number {
    const { low, high } = intersect(this.#previous, this.#current);
    return high === Infinity ? this.#now() : Math.floor(this.#monotonic() + (low + high) / 2);
  }

  /** For a sample by others: when it was asked for. */
  get monotonic(): number {
    return this.#monotonic();
  }

  /** Redis' clock minus this machine's, in ms. */
  get offsetMs(): number {
    return this.now() - this.#now();
  }
}

/** The answer to TIME in ms, with its fraction. */
export function timeOf([seconds = "0", micros = "0"]: readonly string[]): number {
  return Number(seconds) * 1_000 + Number(micros) / 1_000;
}

export function clockMatters(offsetMs: number): boolean {
  return Math.abs(offsetMs) > CLOCK_MATTERS_MS;
}

function intersect(one: Bounds, other: Bounds): Bounds {
  return { low: Math.max(one.low, other.low), high: Math.min(one.high, other.high) };
}
