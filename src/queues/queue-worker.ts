import { DelayedError, type Job, Queue, RateLimitError } from "bullmq";
import type { RedisClock } from "../redis/clock.ts";
import type { RedisClient } from "../redis/connection.ts";
import { isPassingRefusal } from "../redis/refusal.ts";
import type { FollowUp } from "./follow-up.ts";
import type { Lane } from "../outcomes/lane.ts";
import { BULLMQ_PREFIX, bullmqPrefix, EVENTS_KEPT, isOurJob, jobIdOf, type QueueName } from "./names.ts";
import { soundJobs } from "./sound-jobs.ts";
import { parseTicket, type Ticket } from "./ticket.ts";
import { TicketWorker } from "./ticket-worker.ts";
import { quietStalledCheck } from "./stalled-check.ts";
import { redisTimeBackend, toOwnTime } from "./time-backend.ts";
import { tellOfWokenFetches } from "./woken-fetch.ts";

export interface QueueWorkerOptions {
  readonly queue: QueueName;
  readonly redis: RedisClient;
  readonly clock: RedisClock;
  /** The number of jobs in hand below which another entry of the queue is taken. */
  readonly concurrency: number;
  /** Set as BullMQ's global limit, and no worker `limiter` beside it (facts/bullmq §0.2). */
  readonly pace: Pace;
  /**
   * Told of a fetch that may bring a job of its own entry, with its token, in the turn in which it was sent on `redis`. Resolves when
   * what it asks for there is answered, and never rejects.
   */
  readonly fetching: (token: string) => Promise<void>;
  /** `token`: of the fetch that brought it. */
  readonly run: (id: string, lane: Lane, queuedAt: number, token: string) => Promise<FollowUp>;
  /** `left` hears of each of its jobs that is in hand no more. */
  readonly runTicket: (ticket: Ticket, queuedAt: number, left: () => void) => Promise<FollowUp>;
  /** BullMQ gave a job up for good: its record must not stay open. */
  readonly givenUp: (id: string) => Promise<void>;
  readonly givenUpTicket: (ticket: Ticket) => Promise<void>;
  readonly listener: QueueListener;
  /** Default 15 s and 5 s. */
  readonly lock?: LockTimes | undefined;
}

/** How fast jobs are fetched: at most `max` per `ms`. */
export interface Pace {
  readonly max: number;
  readonly ms: number;
}

/** Hears what goes wrong and reaches no caller. */
export interface QueueListener {
  /** The connection's own listener hears of it, too. */
  onConnectionError(err: Error): void;
  onWorkerError(err: Error): void;
  /** Nobody takes jobs any more. */
  onStopped(err: unknown): void;
  /** A fault of our own; the job comes back. */
  onThrown(err: Error, id: string | null): void;
  /** A job's entry in the queue is not what a producer put there; null: it is none of ours. It is mended. */
  onUnreadable(id: string | null, fields: readonly string[]): void;
  /** An entry of another tool's was dropped. */
  onForeign(): void;
  /** `givenUp` failed. */
  onNotGivenUp(err: unknown, id: string): void;
}

/** BullMQ's lock on a job that is worked on, and how often those that lost it are looked for; in ms. */
export interface LockTimes {
  readonly lockMs: number;
  readonly checkMs: number;
}

/** Renewed at half its time while its worker lives; the jobs of one that died are found within 20 s. */
const DEFAULT_LOCK: LockTimes = { lockMs: 15_000, checkMs: 5_000 };
// The journal guards against repeats, so a job may stall as often as workers die.
const MAX_STALLS = 1_000;
const FAULT_BACKOFF_MS = 30_000;

/** The workers' adapter to BullMQ: turns what follows an attempt into its control flow. Processors return nothing (design §4.5). */
export class QueueWorker {
  readonly queue: Queue;
  readonly #worker: TicketWorker;
  readonly #options: QueueWorkerOptions;

  constructor(options: QueueWorkerOptions) {
    this.#options = options;
    const { queue, redis, clock, concurrency, listener, lock = DEFAULT_LOCK } = options;
    const shared = { connection: redis, prefix: BULLMQ_PREFIX };
    this.queue = new Queue(queue, { ...shared, streams: { events: { maxLen: EVENTS_KEPT } } });
    this.#worker = new TicketWorker(
      queue,
      // Two parameters: with a third BullMQ would make an AbortController for each job, which ours does not need.
      async (job, token) => await this.#process(job, token),
      {
        ...shared,
        autorun: false,
        lockDuration: lock.lockMs,
        stalledInterval: lock.checkMs,
        maxStalledCount: MAX_STALLS,
        // Removed also where somebody else queued it.
        removeOnComplete: { count: 0 },
        removeOnFail: { count: 0 },
        // A job wakes an idle worker at once; this is only how long it asks for nothing. BullMQ's longest, in seconds.
        drainDelay: 10,
        // Due jobs are promoted at least this often while the queue is rate limited (facts/bullmq §1.2).
        maximumRateLimitDelay: 1_000,
        // After an error of Redis; BullMQ's default of 15 s would outlast every failover.
        runRetryDelay: 250,
        settings: { backoffStrategy: (made) => Math.min(FAULT_BACKOFF_MS, 250 * 2 ** Math.min(made, 10)) },
      },
      tellOfWokenFetches(
        soundJobs(quietStalledCheck(redisTimeBackend(clock)), async (id, fields) => await this.#mend(id, fields)),
        options.fetching,
      ),
    );
    this.#worker.limitJobs(concurrency);
    this.queue.on("error", (err) => listener.onConnectionError(err));
    this.#worker.on("error", (err) => listener.onWorkerError(err));
    this.#worker.on("failed", (job, err) => {
      listener.onThrown(err, job?.id === undefined ? null : shownId(job.id));
      if (job?.id !== undefined && job.finishedOn !== undefined) void this.#giveUp(job.id);
    });
  }

  /** Takes jobs until `close`. Resolves when the first one could be taken. */
  async start(): Promise<void> {
    const { pace, listener } = this.#options;
    await this.queue.setGlobalRateLimit(pace.max, pace.ms);
    await this.#worker.waitUntilReady();
    this.#worker.run().catch((err: unknown) => listener.onStopped(err));
  }

  /**
   * Takes no more jobs and waits for those that run. May hang while Redis is away (facts/bullmq §0.12): race it, and with
   * `force` (only the first call's counts) nothing is waited for.
   */
  async close(force = false): Promise<void> {
    await this.#worker.close(force);
    await this.queue.close();
  }

  /** Takes no jobs (those that run go on), or takes them again. Not before `start`. */
  setTaking(taking: boolean): void {
    if (taking) void this.#worker.resume();
    else void this.#worker.pause(true);
  }

  get taking(): boolean {
    return this.#worker.isRunning() && !this.#worker.isPaused();
  }

  async #process(job: Job, token: string | undefined): Promise<void> {
    const ticket = parseTicket(job.id ?? "");
    if (ticket === null && !isOurJob(job.id ?? "")) {
      this.#options.listener.onForeign();
      return;
    }
    const next = await (ticket === null ? this.#runOne(job, token ?? "") : this.#runTicket(ticket, job));
    if (next.kind === "done") return;
    // Back to the front of its queue, which the gate has closed for all workers in the same step that said so.
    if (next.kind === "gate") {
      this.#wakeWhenBack(job);
      throw new RateLimitError();
    }
    // The record says `waiting` already: after this line another worker may own the job (facts/bullmq §1.4).
    try {
      await job.moveToDelayed(toOwnTime(this.#options.clock, next.until), token);
    } catch (error) {
      if (isPassingRefusal(error)) throw error;
      await this.#putBack(job, next.until);
    }
    throw new DelayedError();
  }

  /** BullMQ 6.7 puts an entry with a priority back without a marker: whoever waits for one would sleep through `drainDelay`. */
  #wakeWhenBack(job: Job): void {
    const { redis, queue } = this.#options;
    const moveToWait = job.moveToWait.bind(job);
    job.moveToWait = async (token) => {
      const limitedMs = await moveToWait(token);
      if (job.opts.priority) await redis.zadd(`${bullmqPrefix(queue)}marker`, 0, "0");
      return limitedMs;
    };
  }

  async #runOne(job: Job, token: string): Promise<FollowUp> {
    this.#worker.took(1);
    try {
      const lane = job.opts.priority ? "bulk" : "interactive";
      return await this.#options.run(jobIdOf(job.id ?? ""), lane, job.timestamp, token);
    } finally {
      this.#worker.left(1);
      this.#worker.leftEntry();
    }
  }

  async #runTicket(ticket: Ticket, job: Job): Promise<FollowUp> {
    let inHand = ticket.size;
    const left = (jobs: number): void => {
      inHand -= jobs;
      this.#worker.left(jobs);
    };
    this.#worker.took(ticket.size);
    try {
      return await this.#options.runTicket(ticket, job.timestamp, () => left(Math.min(1, inHand)));
    } finally {
      left(inHand);
      this.#worker.leftEntry();
    }
  }

  /** Its lock was lost meanwhile, and whoever had it then may have removed it: a job that waits needs its entry. */
  async #putBack({ id, name, opts }: Job, until: number): Promise<void> {
    if (id === undefined || (await this.queue.getJob(id)) !== undefined) return;
    const { priority, lifo, attempts, backoff, removeOnComplete, removeOnFail, stackTraceLimit } = opts;
    const kept = { priority, lifo, attempts, backoff, removeOnComplete, removeOnFail, stackTraceLimit };
    const timestamp = this.#options.clock.now();
    await this.queue.add(name, {}, { ...defined(kept), jobId: id, timestamp, delay: Math.max(0, until - timestamp) });
  }

  /** Its record says all that is true of a job: what is broken in its entry is set anew, and it goes on. */
  async #mend(bullmqId: string, fields: Readonly<Record<string, string>>): Promise<void> {
    const { listener, queue, redis } = this.#options;
    listener.onUnreadable(shownId(bullmqId), Object.keys(fields));
    // Not written: it is mended again when it comes back.
    await redis.hset(`${bullmqPrefix(queue)}${bullmqId}`, fields).catch(() => {});
  }

  async #giveUp(bullmqId: string): Promise<void> {
    const { givenUp, givenUpTicket, listener } = this.#options;
    const ticket = parseTicket(bullmqId);
    try {
      await (ticket === null ? givenUp(jobIdOf(bullmqId)) : givenUpTicket(ticket));
    } catch (err) {
      listener.onNotGivenUp(err, shownId(bullmqId) ?? "");
    }
  }
}

/** The name of a job, or a ticket, for the log; null: it is none of ours. */
function shownId(bullmqId: string): string | null {
  if (isOurJob(bullmqId)) return jobIdOf(bullmqId);
  return parseTicket(bullmqId)?.name ?? null;
}

/** Without what is undefined: BullMQ takes that for a value. */
function defined<T extends object>(given: T): Partial<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<T>;
}
