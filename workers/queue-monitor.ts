import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { ProviderName } from "../src/base/provider-name.ts";
import type { RedisClient } from "../src/redis/connection.ts";
import type { Duty } from "../src/redis/lease.ts";
import { ROW_STATES } from "../src/batches/row-state.ts";
import { JobQueues } from "../src/queues/job-queues.ts";
import { TIMES_LEFT } from "../src/records/measure-challenges.ts";
import { queuePrefix, queueOf } from "../src/queues/names.ts";
import type { GateLog } from "./gate-log.ts";
import { measure, type Measures } from "../src/batches/measures.ts";
import type { RetentionTimes } from "../src/records/settings.ts";
import type { Metrics } from "../src/telemetry/metrics.ts";

/** How old what another worker measured may be, in ms: what Prometheus leaves between two scrapes (deploy/prometheus). */
const SHARED_MS = 15_000;
/** How long Redis may take, in ms; then what it did not tell is not shown. */
const PATIENCE_MS = 1_000;

const Undecided = z.object({ count: z.number(), oldest: z.number() }).nullable();
const Counts = z.record(z.string(), z.number());
const OpenOnboardings = z.array(z.object({ flow: z.string(), state: z.string(), count: z.number() }));
const Seats = z.object({
  taken: z.number(),
  unattended: z.number(),
  firstLeft: z.number().nullable(),
  decisions: Counts,
});
/** `Measures` as they are shared through Redis. */
const Measured = z.object({
  queue: z.string(),
  counts: Counts,
  oldest: z.number(),
  overdue: z.number(),
  windows: z.array(z.object({ window: z.string(), max: z.number(), used: z.number() })),
  share: z.number(),
  calls: z.object({ inFlight: z.number(), limit: z.number() }),
  held: z.record(z.string(), z.boolean()),
  pausedFor: z.number(),
  breakerFor: z.number(),
  waiting: Counts,
  unknown: Undecided,
  failed: Undecided,
  submitted: Counts,
  batches: z.object({ open: Counts, rows: z.record(z.enum(ROW_STATES), z.number()), seats: Seats }).nullable(),
  challenges: z.record(z.enum(TIMES_LEFT), z.number()).nullable(),
  onboardings: z.object({ open: OpenOnboardings, unmoved: Counts, lag: z.number() }).nullable(),
}) satisfies z.ZodType<Measures>;

export interface QueueMonitorDeps {
  /** Its own connection fails fast, so that a scrape never hangs on an absent Redis. */
  readonly redis: RedisClient;
  readonly duty: Duty;
  readonly providers: readonly ProviderName[];
  readonly metrics: Pick<Metrics, "queues" | "batches" | "persons">;
  /** Told by the worker that measures for all. */
  readonly log: Pick<GateLog, "look" | "forget">;
  /** Redis' time, ms. */
  readonly now: () => number;
  readonly retention: RetentionTimes;
}

/**
 * Measures queues and gates for a scrape: the worker that has the duty does, and leaves it in Redis for the others' scrapes.
 */
export class QueueMonitor {
  readonly #deps: QueueMonitorDeps;
  readonly #queues: JobQueues;

  constructor(deps: QueueMonitorDeps) {
    this.#deps = deps;
    this.#queues = new JobQueues(deps.redis, deps.now);
  }

  /** Shows what can be measured in a second, and nothing of before. Hands back why something could not be. */
  async measure(): Promise<readonly unknown[]> {
    const { providers, metrics } = this.#deps;
    const late = sleep(PATIENCE_MS, null, { ref: false });
    const tried = await Promise.allSettled(
      providers.map(async (provider) => [provider, await Promise.race([this.#measured(provider), late])] as const),
    );
    const measured = tried.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const all = measured.flatMap(([provider, found]) => (found === null ? [] : [[provider, found] as const]));
    const byQueue = all.map(([, found]) => [found.queue, found] as const);
    metrics.queues.show(new Map(all));
    metrics.batches.show(new Map(byQueue.map(([queue, { batches }]) => [queue, batches])));
    metrics.persons.show(new Map(byQueue));
    return tried.flatMap((one): unknown[] => (one.status === "rejected" ? [one.reason] : []));
  }

  async close(): Promise<void> {
    await this.#queues.close();
  }

  /** Another's, if there is a recent one. */
  async #measured(provider: ProviderName): Promise<Measures> {
    const { redis, duty, log, now, retention } = this.#deps;
    const key = `${queuePrefix(queueOf(provider))}measured`;
    const shared = duty.held ? null : parseMeasured(await redis.get(key));
    if (shared !== null) return shared;
    const measured = await measure({ redis, queues: this.#queues, now, retention }, queueOf(provider));
    if (duty.held) log.look(provider, measured.held);
    else log.forget();
    // A Redis that takes no writes is measured all the same: each worker does it for itself.
    await redis.set(key, JSON.stringify(measured), "PX", SHARED_MS).catch(() => {});
    return measured;
  }
}

/** Null: there is none, or a worker of another version left it. */
function parseMeasured(text: string | null): Measures | null {
  if (text === null) return null;
  try {
    return Measured.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
