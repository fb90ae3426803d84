import { Queue } from "bullmq";
import { formatQuota } from "../src/limits/parse-quota.ts";
import { GateControl } from "../src/limits/control.ts";
import type { ProviderName } from "../src/operations/operation.ts";
import type { RedisClient } from "../src/queues/connection.ts";
import { BULLMQ_PREFIX, dueKey, queueOf } from "../src/queues/names.ts";
import type { Metrics } from "../src/telemetry/metrics.ts";

interface Watched {
  readonly provider: ProviderName;
  readonly queue: Queue;
}

/** Measures queues and gates for a scrape. Its own connection fails fast, so that a scrape never hangs on an absent Redis. */
export class QueueMonitor {
  readonly #watched: readonly Watched[];
  readonly #redis: RedisClient;
  readonly #control: GateControl;
  readonly #metrics: Metrics;
  readonly #now: () => number;

  constructor(redis: RedisClient, providers: readonly ProviderName[], metrics: Metrics, now: () => number) {
    this.#watched = providers.map((provider) => {
      const queue = new Queue(queueOf(provider), {
        connection: redis,
        prefix: BULLMQ_PREFIX,
        skipWaitingForReady: true,
        skipVersionCheck: true,
        skipMetasUpdate: true,
      });
      queue.on("error", () => {}); // the connection's own listener logs it
      return { provider, queue };
    });
    this.#redis = redis;
    this.#control = new GateControl(redis);
    this.#metrics = metrics;
    this.#now = now;
  }

  /** Rejects while Redis is away. */
  async measure(): Promise<void> {
    await Promise.all(this.#watched.map(async (watched) => await this.#measureOne(watched)));
  }

  async close(): Promise<void> {
    await Promise.all(this.#watched.map(async ({ queue }) => await queue.close()));
  }

  async #measureOne({ provider, queue }: Watched): Promise<void> {
    const [counts, [first], [prioritized], gate, [, due = Infinity]] = await Promise.all([
      queue.getJobCounts(),
      queue.getJobs(["waiting"], 0, 0, true),
      queue.getJobs(["prioritized"], 0, 0, true),
      this.#control.read(queueOf(provider)),
      this.#redis.zrange(dueKey(queueOf(provider)), "0", "0", "WITHSCORES"),
    ]);
    const since = Math.min(first?.timestamp ?? Infinity, prioritized?.timestamp ?? Infinity);
    const oldest = Number.isFinite(since) ? Math.max(0, (this.#now() - since) / 1_000) : 0;
    this.#metrics.queueMeasured(queue.name, counts, oldest);
    this.#metrics.overdueMeasured(queue.name, Math.max(0, (this.#now() - Number(due)) / 1_000));
    const windows = gate.windows.map(
      ({ max, ms, used }) => [formatQuota([{ max, ms }]), max === 0 ? 1 : used / max] as const,
    );
    this.#metrics.quotaMeasured(provider, new Map(windows), gate.factor);
    this.#metrics.flightsMeasured(provider, gate.calls.inFlight, gate.calls.limit);
    this.#metrics.holdsMeasured(provider, {
      credential: gate.holds.some(({ scope }) => scope === null),
      scope: gate.holds.some(({ scope }) => scope !== null),
      breaker: gate.breaker !== null,
      throttled: gate.pausedUntil !== null,
    });
  }
}
