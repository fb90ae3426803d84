import { type GateState, GateControl } from "../limits/control.ts";
import { formatQuota } from "../limits/parse-quota.ts";
import type { JobQueues } from "../queues/job-queues.ts";
import { dueKey, queuePrefix, type QueueName } from "../queues/names.ts";
import type { RedisClient } from "../redis/connection.ts";
import { refusalWord } from "../redis/refusal.ts";
import { oldestWaitingMs } from "./oldest-waiting.ts";
import { type IndexedState, StateIndex } from "./state-index.ts";
import { waitingCauses } from "./waiting-causes.ts";

/** Jobs of one state. Null: what is in the index's place cannot be read. */
export interface Undecided {
  readonly count: number;
  readonly oldest: number;
}

/** What was measured of one queue and its gate; times in seconds, shares from 0 to 1. */
export interface QueueMeasures {
  readonly queue: string;
  /** Jobs by BullMQ's state. */
  readonly counts: Readonly<Record<string, number>>;
  /** Of the oldest job that could run now. */
  readonly oldest: number;
  /** Since when, at the longest, something is past its time. */
  readonly overdue: number;
  readonly windows: readonly { readonly window: string; readonly max: number; readonly used: number }[];
  /** What is used of the shortest window since the last 429s. */
  readonly share: number;
  readonly calls: { readonly inFlight: number; readonly limit: number };
  /** By reason: whether it holds jobs back, and since when where that is known. */
  readonly held: Readonly<Record<string, boolean>>;
  readonly pausedFor: number;
  readonly breakerFor: number;
  /** Jobs that are not taken, by why. */
  readonly waiting: Readonly<Record<string, number>>;
  /** Jobs that ended and that somebody may have to look at: how many, and since when the oldest. */
  readonly unknown: Undecided | null;
  readonly failed: Undecided | null;
  /** Ever accepted, as `operation lane`. */
  readonly submitted: Readonly<Record<string, number>>;
}

export interface MeasureDeps {
  readonly redis: RedisClient;
  readonly queues: Pick<JobQueues, "counts">;
  /** Redis' time, ms. */
  readonly now: () => number;
  /** How long a record stays after its end, in ms. */
  readonly retentionMs: number;
}

/** Measures a queue and its gate now, in a few round trips at once. Rejects while Redis is away. */
export async function measureQueue(deps: MeasureDeps, queue: QueueName): Promise<QueueMeasures> {
  const { redis, queues, now } = deps;
  const [counts, oldestMs, gate, [, due = Infinity], putAway, unknown, failed, submitted] = await Promise.all([
    queues.counts(queue),
    oldestWaitingMs(redis, queue),
    new GateControl(redis).read(queue),
    redis.zrange(dueKey(queue), "0", "0", "WITHSCORES"),
    waitingCauses(redis, queue),
    undecided(deps, queue, "unknown"),
    undecided(deps, queue, "failed"),
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

async function undecided(
  { redis, now, retentionMs }: MeasureDeps,
  queue: QueueName,
  state: IndexedState,
): Promise<Undecided | null> {
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
