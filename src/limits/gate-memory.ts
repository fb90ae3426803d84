import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { RedisClient } from "../redis/connection.ts";
import { bullmqPrefix, queuePrefix, type QueueName } from "../queues/names.ts";
import { type RedisClock, timeOf } from "../redis/clock.ts";
import { controlKey, packQuota, unpackQuota } from "./control.ts";
import { BRING_BACK, LOOK } from "./gate/memory.ts";
import { paceOf } from "./pace.ts";
import type { Quota } from "./quota.ts";

/** Between two looks while calls are made, in ms: so much of the newest permits of others may be unknown here. */
const EVERY_MS = 1_000;
/** While nobody calls it doubles up to this, in ms: every step that opens an attempt asks for the epoch anyway. */
const IDLE_MS = 10_000;
/** After a look that failed though it was in doubt, in ms; it doubles up to `EVERY_MS`. */
const AGAIN_MS = 20;
/** Permits stand nearly in order: so far back they are read again, in ms. */
const OVERLAP_MS = 1_000;
/** Which epoch each queue has; in another slot of a Cluster than the queues, so that it outlives the loss of theirs. */
const EPOCHS_KEY = "satyapan:{audit}:epochs";

/** A connection's and a Cluster's events after which another server may answer. */
const DOUBTFUL = ["close", "-node", "+node", "node error"] as const;

/** Redis lost what the gate knew. */
export interface GateLoss {
  /** Whether this process brought it back, or another did. */
  readonly broughtBack: boolean;
  /** The quota that was set by hand and is lost; null: none that this process knew of. */
  readonly quotaByHand: Quota | null;
}

export interface GateMemoryOptions {
  /** One that waits while Redis is away. */
  readonly redis: RedisClient;
  readonly queue: QueueName;
  /** That of the settings. */
  readonly quota: Quota;
  readonly clock: RedisClock;
  readonly onLost: (loss: GateLoss) => void;
  /** Another server answers: one that took over, or the same started again. */
  readonly onOtherServer: () => void;
  /** Told which fields of the gate cannot be read, so that nobody calls; null: all can be read again. */
  readonly onBroken: (fields: string | null) => void;
  readonly onError: (error: unknown) => void;
}

interface Note {
  readonly permit: number;
  readonly n: number;
}

interface Look {
  readonly epoch: string;
  readonly run: string;
  readonly quota: string;
  readonly byHand: string;
  readonly permits: readonly number[];
  readonly broken: string;
}

/**
 * What a worker remembers of a queue's gate, so that a Redis that forgot (FLUSHALL, a restart without its data, a replica
 * that lacks the last writes) does not make calls free: its epoch, the server it spoke with, and all permits of the quota's
 * windows, everybody's. While it is in doubt which Redis answers, nobody gets a permit through it.
 */
export class GateMemory {
  readonly #options: GateMemoryOptions;
  readonly #stop = new AbortController();
  readonly #keys: readonly [string, string];
  #running: Promise<void> = Promise.resolve();
  #looking: Promise<void> | null = null;
  #epoch = "";
  #run = "";
  #byHand = "";
  #broken = "";
  /** The permits at the last look, newest first, in ms. */
  #permits: readonly number[] = [];
  /** This process' own since, in the order in which they were noted. */
  #own: Note[] = [];
  #notes = 0;
  #newest = 0;
  #doubts = 0;
  #doubtful = true;
  #settling = false;
  /** Looks as soon as a server answers again: the others wait for what this process knows. */
  readonly #onDoubt = (): void => {
    this.doubt();
    void this.#settle();
  };

  constructor(options: GateMemoryOptions) {
    this.#options = options;
    this.#keys = [controlKey(options.queue), `${queuePrefix(options.queue)}permits`];
    const { redis } = options;
    // A Cluster's own connection stays while its nodes come and go.
    for (const event of DOUBTFUL) redis.on(event, this.#onDoubt);
  }

  /** Resolves when the gate is there, with its quota. */
  async start(): Promise<void> {
    await this.confirmed();
    this.#running = this.#watch();
  }

  async close(): Promise<void> {
    for (const event of DOUBTFUL) this.#options.redis.off(event, this.#onDoubt);
    this.#stop.abort();
    await this.#running;
  }

  /** By which scripts know whether the gate is still the one that this process knows. */
  get epoch(): string {
    return this.#epoch;
  }

  /** How often it came into doubt: a permit counts only where this is the same before and after it was given. */
  get doubts(): number {
    return this.#doubts;
  }

  /** Nobody gets a permit until it is `confirmed`. */
  get isInDoubt(): boolean {
    return this.#doubtful;
  }

  /** From now on nothing that was known of this Redis counts until it was looked at. */
  doubt(): void {
    this.#doubts += 1;
    this.#doubtful = true;
  }

  /** Resolves when the Redis that answers now is known, and has what this process knows. */
  async confirmed(): Promise<void> {
    while (this.#doubtful) await this.look();
  }

  /** A permit of this process: until when its call arrives, ms; '' is none. */
  note(permit: string): void {
    if (permit !== "") this.#own.push({ permit: Number(permit), n: ++this.#notes });
  }

  /** One that no call was made with was given back. */
  forget(permit: string): void {
    const own = this.#own.findIndex((note) => note.permit === Number(permit));
    const seen = own < 0 ? this.#permits.indexOf(Number(permit)) : -1;
    if (own >= 0) this.#own = this.#own.toSpliced(own, 1);
    if (seen >= 0) this.#permits = this.#permits.toSpliced(seen, 1);
  }

  /** One look, shared by all who ask for one. */
  async look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = null));
    await this.#looking;
  }

  /** Until it is confirmed: the server that answers first may refuse what is brought back, as one that is not promoted yet. */
  async #settle(): Promise<void> {
    if (this.#settling) return;
    this.#settling = true;
    const { signal } = this.#stop;
    for (let waitMs = AGAIN_MS; this.#doubtful && !signal.aborted; waitMs = Math.min(2 * waitMs, EVERY_MS)) {
      try {
        await this.look();
      } catch (error) {
        this.#options.onError(error);
        await sleep(waitMs, undefined, { signal, ref: false }).catch(() => {});
      }
    }
    this.#settling = false;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    let waitMs = EVERY_MS;
    while (!signal.aborted) {
      const newest = this.#newest;
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => {});
      if (!signal.aborted) await this.#lookUnlessStopped(signal);
      waitMs = this.#newest === newest ? Math.min(2 * waitMs, IDLE_MS) : EVERY_MS;
    }
  }

  /** One that hangs while Redis is away does not hold up the end. */
  async #lookUnlessStopped(signal: AbortSignal): Promise<void> {
    const stopped = Promise.withResolvers<void>();
    const stop = (): void => stopped.resolve();
    signal.addEventListener("abort", stop, { once: true });
    await Promise.race([this.look().catch(this.#options.onError), stopped.promise]);
    signal.removeEventListener("abort", stop);
  }

  async #look(): Promise<void> {
    const { redis, clock, queue, onOtherServer, onLost, onBroken, onError } = this.#options;
    const doubts = this.#doubts;
    // Those noted later may or may not be in what is seen: rather charged twice than not at all.
    const notes = this.#notes;
    const seen = await this.#ask(this.#newest - OVERLAP_MS, clock);
    if (seen.broken !== this.#broken) onBroken(seen.broken === "" ? null : seen.broken);
    this.#broken = seen.broken;
    if (seen.broken !== "") {
      // The gate's own steps stop everybody: nothing is lost as long as nobody calls.
      if (doubts === this.#doubts) this.#doubtful = false;
      return;
    }
    const isOther = this.#run !== "" && seen.run !== "" && seen.run !== this.#run;
    const isLost = await this.#isLost(seen);
    const byHandBefore = this.#byHand;
    if (isLost || isOther || this.#epoch === "") {
      const how = isLost ? "lost" : isOther ? "other" : "first";
      const broughtBack = await this.#bringBack(how, seen.run);
      // Best effort: its slot may be away while the queue's is not.
      redis.hset(EPOCHS_KEY, queue, this.#epoch).catch(onError);
      if (isLost) onLost({ broughtBack, quotaByHand: this.#lostByHand(byHandBefore, seen) });
      else if (isOther) onOtherServer();
      // What stands there now counts: also the windows that were filled.
      this.#permits = (await this.#ask(0, clock)).permits;
    } else {
      this.#remember(seen);
    }
    this.#own = this.#own.filter(({ n }) => n > notes);
    this.#run = seen.run;
    this.#byHand = seen.byHand;
    this.#newest = this.#permits[0] ?? 0;
    if (doubts === this.#doubts) this.#doubtful = false;
  }

  async #ask(after: number, clock: RedisClock): Promise<Look> {
    const sentAt = clock.monotonic;
    const reply = (await LOOK.run(this.#options.redis, this.#keys, {
      prefix: queuePrefix(this.#options.queue),
      after,
    })) as readonly string[];
    const [seconds = "", micros = "", run = "", epoch = "", quota = "", byHand = "", permits = "", broken = ""] = reply;
    clock.observe({ redisMs: timeOf([seconds, micros]), sentAt, receivedAt: clock.monotonic });
    return { run, epoch, quota, byHand, broken, permits: permits === "" ? [] : permits.split(",").map(Number) };
  }

  /** The first start on an empty Redis is no loss: nobody knows of an epoch. */
  async #isLost({ epoch, quota }: Look): Promise<boolean> {
    if (this.#epoch !== "") return epoch !== this.#epoch || quota === "";
    const { redis, queue, clock } = this.#options;
    const known = await redis.hget(EPOCHS_KEY, queue);
    if (known === null || known === epoch) return false;
    // Another worker's first start may have come between the two looks.
    return (await this.#ask(this.#newest, clock)).epoch !== known;
  }

  #lostByHand(before: string, { byHand }: Look): Quota | null {
    return before === "" || byHand !== "" ? null : unpackQuota(before);
  }

  async #bringBack(how: string, run: string): Promise<boolean> {
    const { redis, queue, quota } = this.#options;
    const pace = paceOf(quota);
    const keys = [...this.#keys, `${bullmqPrefix(queue)}meta`];
    const fresh = randomBytes(9).toString("base64url");
    const known = [...this.#own.map(({ permit }) => permit), ...this.#permits].join(",");
    const args = {
      ...{ prefix: queuePrefix(queue), how, fresh_epoch: fresh, run, configured: packQuota(quota) },
      ...{ by_hand: this.#byHand, known, pace_max: pace.max, pace_ms: pace.ms },
    };
    const [epoch, broughtBack] = (await BRING_BACK.run(redis, keys, args)) as readonly [string, number];
    this.#epoch = epoch;
    return broughtBack === 1;
  }

  /** What was looked at takes the place of what was known of its time; what no window reaches back to is forgotten. */
  #remember({ quota, permits }: Look): void {
    const longest = Math.max(0, ...unpackQuota(quota).map(({ ms }) => ms));
    const from = this.#options.clock.now() - longest;
    const overlap = this.#newest - OVERLAP_MS;
    this.#permits = [...permits, ...this.#permits.filter((permit) => permit <= overlap && permit > from)];
  }
}
