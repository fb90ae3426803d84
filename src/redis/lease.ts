import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Monotonic, steadyClock } from "../base/sleepless-clock.ts";
import { LuaScript } from "./script.ts";
import type { RedisClient } from "./connection.ts";

/** Held by one worker per Redis: what one process does for all. */
export const WORKERS_LEASE_KEY = "satyapan:{workers}:lease";

/** The silence after which a holder has lost it, in ms: another has it at most some 0.3 s later. */
const LEASE_MS = 4_000;
/** The number of times that it is renewed within its time. */
const RENEWALS = 2;
/** After an error, in ms: Redis is away. Short enough that one failed renewal does not lose it. */
const AGAIN_MS = 500;
/** Those who wait for it do not all ask in the same moment; ms. */
const SPREAD_MS = 200;

export const TAKE = new LuaScript(new URL("take-lease.lua", import.meta.url), { args: { holder: "text", ms: "text" } });
export const RELEASE = new LuaScript(new URL("release-lease.lua", import.meta.url), { args: { holder: "text" } });

/**
 * Whether a worker holds the duty, to one that only looks. `stuck`: what stands there lasts longer than a lease does, so no worker
 * wrote it, and none can take it.
 */
export async function leaseState(redis: RedisClient): Promise<"held" | "free" | "stuck"> {
  const leftMs = await redis.pttl(WORKERS_LEASE_KEY);
  if (leftMs === -2) return "free";
  return leftMs >= 0 && leftMs <= LEASE_MS ? "held" : "stuck";
}

/** Asked before each step of what one process does for all; costs nothing. */
export interface Duty {
  readonly held: boolean;
  /** For who finds that it cannot do it: another may. It comes back if nobody takes it. */
  readonly stepAside: () => Promise<void>;
}

export interface LeaseOptions {
  /** A connection of the client's role: a step that hangs would only lose the lease. */
  readonly redis: RedisClient;
  readonly key: string;
  readonly random: () => number;
  readonly onError: (error: unknown) => void;
  /** Told after it was taken or lost, at the next step. */
  readonly onChange?: (held: boolean) => void;
  /** In ms. Default `performance.now`; a worker has one that goes on while its machine sleeps, as Redis' does. */
  readonly monotonic?: Monotonic;
  readonly leaseMs?: number;
}

/**
 * One holder among many processes, by a key that expires on Redis' clock. Whoever holds it counts its time from before it
 * asked, on a clock of its own, so that it stops before another can begin: also one that was frozen, or cut off from
 * Redis. Between asking `held` and what is done then time may pass all the same: it saves work, and guards nothing.
 */
export class Lease implements Duty, AsyncDisposable {
  readonly #options: LeaseOptions;
  readonly #holder = randomUUID();
  readonly #monotonic: () => number;
  readonly #leaseMs: number;
  readonly #stop = new AbortController();
  #heldUntil = Number.NEGATIVE_INFINITY;
  #asideUntil = Number.NEGATIVE_INFINITY;
  #said = false;
  #running: Promise<void> = Promise.resolve();

  private constructor(options: LeaseOptions) {
    this.#options = options;
    this.#monotonic = options.monotonic ?? steadyClock;
    this.#leaseMs = options.leaseMs ?? LEASE_MS;
  }

  /** Resolves after the first try; goes on trying until `close`. */
  static async open(options: LeaseOptions): Promise<Lease> {
    const lease = new Lease(options);
    const waitMs = await lease.#step();
    lease.#running = lease.#run(waitMs);
    return lease;
  }

  get held(): boolean {
    return !this.#stop.signal.aborted && this.#monotonic() < this.#heldUntil;
  }

  async stepAside(): Promise<void> {
    // Longer than the others wait before they look.
    this.#asideUntil = this.#monotonic() + 1.5 * this.#leaseMs;
    await this.#release();
  }

  /** Another may take it at once. Never rejects. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #run(firstMs: number): Promise<void> {
    const { signal } = this.#stop;
    for (let waitMs = firstMs; !signal.aborted; waitMs = signal.aborted ? 0 : await this.#step()) {
      await sleep(waitMs, undefined, { ref: false, signal }).catch(() => {});
    }
  }

  /** The time to wait until the next step, in ms. */
  async #step(): Promise<number> {
    this.#say(); // its time may be over since the last step
    const aside = this.#asideUntil - this.#monotonic();
    let waitMs = aside > 0 ? aside : AGAIN_MS;
    if (aside <= 0) {
      try {
        waitMs = await this.#take();
      } catch (error) {
        this.#options.onError(error);
      }
    }
    this.#say();
    return waitMs;
  }

  #say(): void {
    const { held } = this;
    if (held !== this.#said) this.#options.onChange?.(held);
    this.#said = held;
  }

  async #take(): Promise<number> {
    const { redis, key, random } = this.#options;
    // A process that waits asks no more than this, until the lease is free.
    const left = this.held ? 0 : await redis.pttl(key);
    const askedAt = this.#monotonic();
    const free =
      left > 0 ? left : ((await TAKE.run(redis, [key], { holder: this.#holder, ms: this.#leaseMs })) as number);
    if (free > 0) {
      this.#heldUntil = Number.NEGATIVE_INFINITY;
      return Math.min(free, this.#leaseMs) + random() * SPREAD_MS;
    }
    if (askedAt < this.#asideUntil) await this.#release();
    else this.#heldUntil = askedAt + this.#leaseMs;
    return this.#leaseMs / RENEWALS;
  }

  async #release(): Promise<void> {
    const { redis, key, onError } = this.#options;
    this.#heldUntil = Number.NEGATIVE_INFINITY;
    await RELEASE.run(redis, [key], { holder: this.#holder }).catch(onError);
  }
}
