import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { formatQuota } from "../src/limits/parse-quota.ts";
import { GateControl, type GateState } from "../src/limits/control.ts";
import type { ProviderName } from "../src/base/provider-name.ts";
import type { RedisClient } from "../src/redis/connection.ts";
import type { Duty } from "../src/redis/lease.ts";
import { JobQueues } from "../src/queues/job-queues.ts";
import { dueKey, queuePrefix, type QueueName, queueOf } from "../src/queues/names.ts";
import type { GateLog } from "./gate-log.ts";
import { type IndexedState, StateIndex } from "../src/records/state-index.ts";
import { oldestWaitingMs } from "../src/records/oldest-waiting.ts";
import { waitingCauses } from "../src/records/waiting-causes.ts";
import { refusalWord } from "../src/redis/refusal.ts";
import type { QueueMeasures, QueueMetrics } from "../src/telemetry/queue-metrics.ts";

/** How old what another worker measured may be, in ms: what Prometheus leaves between two scrapes (deploy/prometheus). */
const SHARED_MS = 15_000;
/** How long Redis may take, in ms; then what it did not tell is not shown. */
const PATIENCE_MS = 1_000;

const Undecided = z.object({ count: z.number(), oldest: z.number() }).nullable();
/** `QueueMeasures` as they are shared through Redis. */
const Measured = z.object({
  queue: z.string(),
  counts: z.record(z.string(), z.number()),
  oldest: z.number(),
  overdue: z.number(),
  windows: z.array(z.object({ window: z.string(), max: z.number(), used: z.number() })),
  share: z.number(),
  calls: z.object({ inFlight: z.number(), limit: z.number() }),
  held: z.record(z.string(), z.boolean()),
  pausedFor: z.number(),
  breakerFor: z.number(),
  waiting: z.record(z.string(), z.number()),
  unknown: Undecided,
  failed: Undecided,
  submitted: z.record(z.string(), z.number()),
}) satisfies z.ZodType<QueueMeasures>;

export interface QueueMonitorDeps {
  /** Its own connection fails fast, so that a scrape never hangs on an absent Redis. */
  readonly redis: RedisClient;
  readonly duty: Duty;
  readonly providers: readonly ProviderName[];
  readonly metrics: QueueMetrics;
  /** Told by the worker that measures for all. */
  readonly log: Pick<GateLog, "look" | "forget">;
  /** Redis' time, ms. */
  readonly now: () => number;
  /** How long a record stays after its end, in ms. */
  readonly retentionMs: number;
}

/**
 * Measures queues and gates for a scrape: the worker that has the duty does, and leaves it in Redis for the others' scrapes.
 */
export class QueueMonitor {
  readonly #deps: QueueMonitorDeps;
  readonly #queues: JobQueues;
  readonly #control: GateControl;

  constructor(deps: QueueMonitorDeps) {
    this.#deps = deps;
    this.#queues = new JobQueues(deps.redis, deps.now);
    this.#control = new GateControl(deps.redis);
  }

  /** Shows what can be measured in a second, and nothing of before. Hands back why something could not be. */
  async measure(): Promise<readonly unknown[]> {
    const { providers, metrics } = this.#deps;
    const late = sleep(PATIENCE_MS, null, { ref: false });
    const tried = await Promise.allSettled(
      providers.map(async (provider) => [provider, await Promise.race([this.#measured(provider), late])] as const),
    );
    const measured = tried.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    metrics.show(
      new Map(measured.flatMap(([provider, found]) => (found === null ? [] : [[provider, found] as const]))),
    );
    return tried.flatMap((one): unknown[] => (one.status === "rejected" ? [one.reason] : []));
  }

  async close(): Promise<void> {
    await this.#queues.close();
  }

  /** Another's, if there is a recent one. */
  async #measured(provider: ProviderName): Promise<QueueMeasures> {
    const { redis, duty, log } = this.#deps;
    const key = `${queuePrefix(queueOf(provider))}measured`;
    const shared = duty.held ? null : parseMeasured(await redis.get(key));
    if (shared !== null) return shared;
    const measured = await this.#measureOne(queueOf(provider));
    if (duty.held) log.look(provider, measured.held);
    else log.forget();
    // A Redis that takes no writes is measured all the same: each worker does it for itself.
    await redis.set(key, JSON.stringify(measured), "PX", SHARED_MS).catch(() => {});
    return measured;
  }

  async #measureOne(queue: QueueName): Promise<QueueMeasures> {
    const { redis, now } = this.#deps;
    const [counts, oldestMs, gate, [, due = Infinity], putAway, unknown, failed, submitted] = await Promise.all([
      this.#queues.counts(queue),
      oldestWaitingMs(redis, queue),
      this.#control.read(queue),
      redis.zrange(dueKey(queue), "0", "0", "WITHSCORES"),
      waitingCauses(redis, queue),
      this.#undecided(queue, "unknown"),
      this.#undecided(queue, "failed"),
      redis.hgetall(`${queuePrefix(queue)}submitted`),
    ]);
    const inLine = (counts["waiting"] ?? 0) + (counts["prioritized"] ?? 0) + (counts["paused"] ?? 0);
    const held = heldBy(gate);
    return {
      ...{ queue, counts, held, unknown, failed },
      oldest: (oldestMs ?? 0) / 1_000,
      overdue: Math.max(0, (now() - Number(due)) / 1_000),
      windows: gate.windows.map(({ max, ms, used }) => ({ window: formatQuota([{ max, ms }]), max, used })),
      share: gate.factor,
      calls: { inFlight: gate.calls.inFlight, limit: gate.calls.limit },
      pausedFor: gate.pausedUntil === null ? 0 : (gate.pausedUntil - gate.now) / 1_000,
      breakerFor: gate.breaker?.state === "open" ? (gate.now - gate.breaker.since) / 1_000 : 0,
      waiting: { ...NOBODY_WAITS, ...Object.fromEntries(putAway), [lineCause(gate, held)]: inLine },
      submitted: Object.fromEntries(Object.entries(submitted).map(([what, count]) => [what, Number(count)])),
    };
  }

  async #undecided(queue: QueueName, state: IndexedState): Promise<z.infer<typeof Undecided>> {
    const { redis, now, retentionMs } = this.#deps;
    let found: Awaited<ReturnType<StateIndex["count"]>>;
    try {
      found = await new StateIndex(redis, state).count(queue, now() - retentionMs);
    } catch (error) {
      // Something else stands where the index was: all else is measured nevertheless.
      if (refusalWord(error) === "WRONGTYPE") return null;
      throw error;
    }
    const { count, oldestAt } = found;
    return { count, oldest: oldestAt === null ? 0 : Math.max(0, (now() - oldestAt) / 1_000) };
  }
}

/** What a job may wait for; `worker`: nothing but one that takes it. */
const NOBODY_WAITS = {
  ...{ worker: 0, quota: 0, busy: 0, breaker: 0, throttled: 0, held: 0, paused: 0 },
  ...{ scope: 0, cooldown: 0, pending: 0, backoff: 0, unknown: 0, other: 0 },
};

function heldBy(gate: GateState): Record<string, boolean> {
  return {
    credential: gate.holds.some(({ scope }) => scope === null),
    scope: gate.holds.some(({ scope }) => scope !== null),
    breaker: gate.breaker?.state === "open",
    resuming: gate.breaker?.state === "ramp",
    throttled: gate.pausedUntil !== null,
    paused: gate.queuePause !== null,
    unreadable: gate.broken !== null,
  };
}

/** What keeps those in line from being taken now. */
function lineCause(gate: GateState, held: Readonly<Record<string, boolean>>): keyof typeof NOBODY_WAITS {
  if (held["paused"] === true) return "paused";
  if (held["credential"] === true || held["unreadable"] === true) return "held";
  if (held["breaker"] === true || held["resuming"] === true) return "breaker";
  if (held["throttled"] === true) return "throttled";
  if (gate.quotaFreeAt > gate.now) return "quota";
  return gate.calls.inFlight >= gate.calls.limit ? "busy" : "worker";
}

/** Null: there is none, or a worker of another version left it. */
function parseMeasured(text: string | null): QueueMeasures | null {
  if (text === null) return null;
  try {
    return Measured.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
