import { z } from "zod";
import { formatQuota } from "../src/limits/parse-quota.ts";
import { GateControl } from "../src/limits/control.ts";
import type { ProviderName } from "../src/base/provider-name.ts";
import type { RedisClient } from "../src/redis/connection.ts";
import type { Duty } from "../src/redis/lease.ts";
import { JobQueues } from "../src/queues/job-queues.ts";
import { dueKey, queuePrefix, type QueueName, queueOf } from "../src/queues/names.ts";
import { oldestWaitingMs } from "../src/records/oldest-waiting.ts";
import type { Metrics } from "../src/telemetry/metrics.ts";

/** How old what another worker measured may be, in ms: what Prometheus leaves between two scrapes (deploy/prometheus). */
const SHARED_MS = 15_000;

/** What was measured of one queue, as it is shared through Redis; times in seconds, shares from 0 to 1. */
const Measured = z.object({
  counts: z.record(z.string(), z.number()),
  oldest: z.number(),
  overdue: z.number(),
  windows: z.array(z.tuple([z.string(), z.number()])),
  share: z.number(),
  calls: z.object({ inFlight: z.number(), limit: z.number() }),
  held: z.record(z.string(), z.boolean()),
});
type Measured = z.infer<typeof Measured>;

/**
 * Measures queues and gates for a scrape: the worker that has the duty does, and leaves it in Redis for the others' scrapes.
 * Its own connection fails fast, so that a scrape never hangs on an absent Redis.
 */
export class QueueMonitor {
  readonly #providers: readonly ProviderName[];
  readonly #queues: JobQueues;
  readonly #redis: RedisClient;
  readonly #control: GateControl;
  readonly #duty: Duty;
  readonly #metrics: Metrics;
  readonly #now: () => number;

  constructor(redis: RedisClient, duty: Duty, providers: readonly ProviderName[], metrics: Metrics, now: () => number) {
    this.#providers = providers;
    this.#queues = new JobQueues(redis, now);
    this.#redis = redis;
    this.#control = new GateControl(redis);
    this.#duty = duty;
    this.#metrics = metrics;
    this.#now = now;
  }

  /** Rejects while Redis is away. */
  async measure(): Promise<void> {
    await Promise.all(this.#providers.map(async (provider) => this.#show(provider, await this.#measured(provider))));
  }

  async close(): Promise<void> {
    await this.#queues.close();
  }

  /** Another's, if there is a recent one. */
  async #measured(provider: ProviderName): Promise<Measured> {
    const key = `${queuePrefix(queueOf(provider))}measured`;
    const shared = this.#duty.held ? null : parseMeasured(await this.#redis.get(key));
    if (shared !== null) return shared;
    const measured = await this.#measureOne(queueOf(provider));
    await this.#redis.set(key, JSON.stringify(measured), "PX", SHARED_MS);
    return measured;
  }

  #show(provider: ProviderName, { counts, oldest, overdue, windows, share, calls, held }: Measured): void {
    this.#metrics.queueMeasured(queueOf(provider), counts, oldest);
    this.#metrics.overdueMeasured(queueOf(provider), overdue);
    this.#metrics.quotaMeasured(provider, new Map(windows), share);
    this.#metrics.flightsMeasured(provider, calls.inFlight, calls.limit);
    this.#metrics.holdsMeasured(provider, held);
  }

  async #measureOne(queue: QueueName): Promise<Measured> {
    const [counts, oldestMs, gate, [, due = Infinity]] = await Promise.all([
      this.#queues.counts(queue),
      oldestWaitingMs(this.#redis, queue),
      this.#control.read(queue),
      this.#redis.zrange(dueKey(queue), "0", "0", "WITHSCORES"),
    ]);
    return {
      counts,
      oldest: (oldestMs ?? 0) / 1_000,
      overdue: Math.max(0, (this.#now() - Number(due)) / 1_000),
      windows: gate.windows.map(({ max, ms, used }) => [formatQuota([{ max, ms }]), max === 0 ? 1 : used / max]),
      share: gate.factor,
      calls: { inFlight: gate.calls.inFlight, limit: gate.calls.limit },
      held: {
        credential: gate.holds.some(({ scope }) => scope === null),
        scope: gate.holds.some(({ scope }) => scope !== null),
        breaker: gate.breaker !== null,
        throttled: gate.pausedUntil !== null,
        paused: gate.queuePause !== null,
      },
    };
  }
}

/** Null: there is none, or a worker of another version left it. */
function parseMeasured(text: string | null): Measured | null {
  if (text === null) return null;
  try {
    return Measured.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
