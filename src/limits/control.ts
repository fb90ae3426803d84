import type { RedisClient } from "../queues/connection.ts";
import { bullmqPrefix, limitsPrefix, type QueueName } from "../queues/names.ts";
import { paceOf } from "./pace.ts";
import type { Quota, QuotaWindow } from "./quota.ts";

/** A hold on the whole credential (`scope` null) or on one agent, initiator or operation. Times in ms. */
export interface Hold {
  readonly scope: string | null;
  readonly reason: string;
  readonly since: number;
  /** When one job may try again. */
  readonly probeAt: number;
}

export interface WindowUse extends QuotaWindow {
  /** Calls charged to it now. */
  readonly used: number;
}

/** What the gate of one queue knows now. Times in ms on Redis' clock. */
export interface GateState {
  readonly now: number;
  readonly quota: Quota;
  /** Whether `satyapan quota set` decided it, not the workers' settings. */
  readonly quotaSetByHand: boolean;
  readonly windows: readonly WindowUse[];
  /** When every window has room for one more call; 0: now. */
  readonly quotaFreeAt: number;
  /** The window that is full longest; null: none. */
  readonly fullWindow: QuotaWindow | null;
  /** Share of the shortest window that is used since the last 429s, 0 to 1. */
  readonly factor: number;
  readonly pausedUntil: number | null;
  readonly holds: readonly Hold[];
  readonly breaker: { readonly state: "open" | "ramp"; readonly since: number; readonly nextAt: number } | null;
}

/** Reads and changes a queue's gate from outside of a call: quotas, holds. The table of its fields is in `gate.ts`. */
export class GateControl {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /** Puts a worker's own quota in force, unless one was set by hand. The quota that is in force then. */
  async configure(queue: QueueName, quota: Quota): Promise<Quota> {
    const key = controlKey(queue);
    await this.#redis.hset(key, "quota_configured", packQuota(quota));
    const byHand = await this.#redis.hget(key, "quota_by_hand");
    await this.#redis.hset(key, "quota", byHand ?? packQuota(quota));
    return byHand === null ? quota : unpackQuota(byHand);
  }

  /** In force at once, in every process, until `reset`. A window of 0 holds all calls. */
  async setQuota(queue: QueueName, quota: Quota): Promise<void> {
    const packed = packQuota(quota);
    await this.#redis.hset(controlKey(queue), "quota", packed, "quota_by_hand", packed);
    await this.#repace(queue, quota);
  }

  /** Back to the workers' settings. */
  async resetQuota(queue: QueueName): Promise<Quota> {
    const key = controlKey(queue);
    const configured = (await this.#redis.hget(key, "quota_configured")) ?? "";
    await this.#redis.hdel(key, "quota_by_hand");
    await this.#redis.hset(key, "quota", configured);
    const quota = unpackQuota(configured);
    await this.#repace(queue, quota);
    return quota;
  }

  /** Lifts a hold (`scope` null: that of the whole credential) or closes the breaker. False: there was nothing to lift. */
  async resume(queue: QueueName, scope: string | null): Promise<boolean> {
    const key = controlKey(queue);
    if (scope !== null) {
      if ((await this.#redis.hdel(key, `hold:${scope}`)) === 0) return false;
      await this.#redis.hincrby(key, "scopes", -1);
      return true;
    }
    const stopped = ["hold", "breaker", "pause_until"] as const;
    const lifted = await this.#redis.hdel(key, ...stopped);
    await this.#redis.hdel(
      key,
      "hold_since",
      "hold_probe",
      "probe",
      "open_since",
      "open_ms",
      "probe_at",
      "ramp_at",
      "ramp_gap",
    );
    await this.#open(queue);
    return lifted > 0;
  }

  async read(queue: QueueName): Promise<GateState> {
    const permits = `${limitsPrefix(queue)}permits`;
    const [fields, [seconds, micros]] = await Promise.all([this.#redis.hgetall(controlKey(queue)), this.#redis.time()]);
    const now = Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
    const quota = unpackQuota(fields["quota"] ?? "");
    const most = Math.max(0, ...quota.map(({ max }) => max));
    const times = most === 0 ? [] : (await this.#redis.lrange(permits, 0, most - 1)).map(Number);
    const factor = Number(fields["factor"] ?? 1);
    const full = quota
      .map((window, index) => ({ window, freeAt: freeAt(window, times, index === 0 ? factor : 1) }))
      .filter((use) => use.freeAt > now)
      .toSorted((a, b) => b.freeAt - a.freeAt)[0];
    return {
      now,
      quota,
      quotaSetByHand: fields["quota_by_hand"] !== undefined,
      windows: quota.map((window) => ({ ...window, used: times.filter((at) => at > now - window.ms).length })),
      quotaFreeAt: full?.freeAt ?? 0,
      fullWindow: full?.window ?? null,
      factor,
      pausedUntil: Number(fields["pause_until"] ?? 0) > now ? Number(fields["pause_until"]) : null,
      holds: holdsOf(fields),
      breaker: breakerOf(fields),
    };
  }

  /** Workers fetch at another rate from now on: these two fields are BullMQ's own global rate limit. */
  async #repace(queue: QueueName, quota: Quota): Promise<void> {
    const { max, ms } = paceOf(quota);
    await this.#redis.hset(`${bullmqPrefix(queue)}meta`, "max", max, "duration", ms);
    await this.#open(queue);
  }

  async #open(queue: QueueName): Promise<void> {
    await this.#redis.del(`${bullmqPrefix(queue)}limiter`);
  }
}

function controlKey(queue: QueueName): string {
  return `${limitsPrefix(queue)}control`;
}

function packQuota(quota: Quota): string {
  return quota.map(({ max, ms }) => `${max}:${ms}`).join(",");
}

function unpackQuota(packed: string): Quota {
  return packed
    .split(",")
    .filter((window) => window !== "")
    .map((window) => {
      const [max, ms] = window.split(":").map(Number);
      return { max: max ?? 0, ms: ms ?? 0 };
    });
}

/** `times` are those of `permits`, newest first. Never, for a window that allows nothing: the end of time. */
function freeAt({ max, ms }: QuotaWindow, times: readonly number[], factor: number): number {
  if (max === 0) return 8.64e15;
  const share = max * factor;
  const count = Math.max(1, Math.ceil(share));
  const at = times[count - 1];
  return at === undefined ? 0 : at + Math.ceil((ms * count) / share);
}

function holdsOf(fields: Readonly<Record<string, string>>): Hold[] {
  const scoped = Object.entries(fields).flatMap(([field, value]) => {
    const [, since, probeAt, reason] = /^(\d+) (\d+) (.*)$/.exec(value) ?? [];
    if (!field.startsWith("hold:") || reason === undefined) return [];
    return [{ scope: field.slice("hold:".length), reason, since: Number(since), probeAt: Number(probeAt) }];
  });
  const { hold } = fields;
  if (hold === undefined) return scoped;
  const whole = {
    scope: null,
    reason: hold,
    since: Number(fields["hold_since"]),
    probeAt: Number(fields["hold_probe"]),
  };
  return [whole, ...scoped];
}

function breakerOf(fields: Readonly<Record<string, string>>): GateState["breaker"] {
  const { breaker } = fields;
  if (breaker !== "open" && breaker !== "ramp") return null;
  const nextAt = Number(fields[breaker === "open" ? "probe_at" : "ramp_at"]);
  return { state: breaker, since: Number(fields["open_since"]), nextAt };
}
