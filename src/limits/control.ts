import type { RedisClient } from "../redis/connection.ts";
import { bullmqPrefix, queuePrefix, type QueueName } from "../queues/names.ts";
import { CONFIGURE, READ, RESET, RESUME } from "./control-scripts.ts";
import { SHARE_FIELDS } from "./gate/share.ts";
import { paceOf } from "./pace.ts";
import { type QueuePause, readPause } from "./queue-pause.ts";
import type { Quota, QuotaWindow } from "./quota.ts";

/** A hold on the whole credential (`scope` null) or on one agent, initiator or operation. Times in ms. */
export interface Hold {
  readonly scope: string | null;
  readonly reason: string;
  readonly since: number;
  /** When one job may try again. */
  readonly probeAt: number;
}

/** Redis lost what the gate knew; times in ms. */
export interface Loss {
  readonly at: number;
  /** It had been set by hand and is not in force any more; null: there was none that anybody knew of. */
  readonly quotaByHand: Quota | null;
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
  /** Share of the shortest window that is used since the last 429s, 0 to 1, and the last one that worked. */
  readonly factor: number;
  readonly factorWorked: number;
  /** Calls under way, and how many may be at once. */
  readonly calls: { readonly inFlight: number; readonly limit: number };
  readonly pausedUntil: number | null;
  readonly holds: readonly Hold[];
  /** Null: Redis never lost what the gate knew. */
  readonly lost: Loss | null;
  /** After another server took over: until when workers bring the permits that they know of. */
  readonly confirmedAt: number | null;
  readonly breaker: { readonly state: "open" | "ramp"; readonly since: number; readonly nextAt: number } | null;
  /** The fields that cannot be read, so that nobody calls and nothing else of it is told; null: all can be read. */
  readonly broken: string | null;
  /** Not of the gate's making: nobody takes a job at all. */
  readonly queuePause: QueuePause | null;
}

/** Reads and changes a queue's gate from outside of a call: quotas, holds. The table of its fields is in `gate.ts`. */
export class GateControl {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /** Puts a worker's own quota in force, unless one was set by hand. The quota that is in force then. */
  async configure(queue: QueueName, quota: Quota): Promise<Quota> {
    return unpackQuota(
      (await CONFIGURE.run(this.#redis, [controlKey(queue)], { configured: packQuota(quota) })) as string,
    );
  }

  /** In force at once, in every process, until `reset`. A window of 0 holds all calls. */
  async setQuota(queue: QueueName, quota: Quota): Promise<void> {
    const packed = packQuota(quota);
    await this.#redis.hset(controlKey(queue), "quota", packed, "quota_by_hand", packed);
    await this.#redis.hdel(controlKey(queue), "lost_quota");
    await this.#repace(queue, quota);
  }

  /** Back to the workers' settings. */
  async resetQuota(queue: QueueName): Promise<Quota> {
    const quota = unpackQuota((await RESET.run(this.#redis, [controlKey(queue)], {})) as string);
    await this.#repace(queue, quota);
    return quota;
  }

  /** Lifts a hold (`scope` null: that of the whole credential) or closes the breaker. False: there was nothing to lift. */
  async resume(queue: QueueName, scope: string | null): Promise<boolean> {
    const keys = [controlKey(queue), `${bullmqPrefix(queue)}limiter`];
    return (await RESUME.run(this.#redis, keys, { prefix: queuePrefix(queue), scope })) === 1;
  }

  async read(queue: QueueName): Promise<GateState> {
    const keys = [controlKey(queue), `${queuePrefix(queue)}permits`, `${queuePrefix(queue)}flights`];
    const [reply, queuePause] = await Promise.all([
      READ.run(this.#redis, keys, { prefix: queuePrefix(queue) }),
      readPause(this.#redis, queue),
    ]);
    const [nowText, flat, inFlight, limit, broken, ...flatUses] = reply as [
      string,
      string[],
      number,
      number,
      string,
      ...(string | number)[],
    ];
    const fields = fieldsOf(flat);
    const now = Number(nowText);
    const quota = unpackQuota(fields["quota"] ?? "");
    const windows = quota.map((window, index) => ({
      ...window,
      used: Number(flatUses[2 * index] ?? 0),
      freeAt: Number(flatUses[2 * index + 1] ?? 0),
    }));
    const full = windows.filter(({ freeAt }) => freeAt > now).toSorted((a, b) => b.freeAt - a.freeAt)[0];
    return {
      now,
      quota,
      quotaSetByHand: fields["quota_by_hand"] !== undefined,
      windows: windows.map(({ max, ms, used }) => ({ max, ms, used })),
      quotaFreeAt: full?.freeAt ?? 0,
      fullWindow: full === undefined ? null : { max: full.max, ms: full.ms },
      factor: Number(fields["factor"] ?? 1),
      factorWorked: Number(fields["factor_worked"] ?? 1),
      calls: { inFlight, limit },
      pausedUntil: Number(fields["pause_until"] ?? 0) > now ? Number(fields["pause_until"]) : null,
      holds: holdsOf(fields),
      lost: lossOf(fields),
      confirmedAt: Number(fields["confirm_until"] ?? 0) > now ? Number(fields["confirm_until"]) : null,
      breaker: breakerOf(fields),
      broken: broken === "" ? null : broken,
      queuePause,
    };
  }

  /** Workers fetch at another rate from now on: these two fields are BullMQ's own global rate limit. */
  async #repace(queue: QueueName, quota: Quota): Promise<void> {
    const { max, ms } = paceOf(quota);
    await this.#redis.hset(`${bullmqPrefix(queue)}meta`, "max", max, "duration", ms);
    // What was learnt of another quota's share says nothing about this one's.
    await this.#redis.hdel(controlKey(queue), ...SHARE_FIELDS, "strikes", "strike_at");
    await this.#open(queue);
  }

  async #open(queue: QueueName): Promise<void> {
    await this.#redis.del(`${bullmqPrefix(queue)}limiter`);
  }
}

export function controlKey(queue: QueueName): string {
  return `${queuePrefix(queue)}control`;
}

export function packQuota(quota: Quota): string {
  return quota.map(({ max, ms }) => `${max}:${ms}`).join(",");
}

/** None where it is garbled: without a quota nobody calls. */
export function unpackQuota(packed: string): Quota {
  const windows = packed.split(",").filter((window) => window !== "");
  const parsed = windows.map((window) => /^(\d+):([1-9]\d*)$/.exec(window));
  if (parsed.includes(null)) return [];
  return parsed.map((parts) => ({ max: Number(parts?.[1]), ms: Number(parts?.[2]) }));
}

function fieldsOf(flat: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index] ?? "", flat[2 * index + 1] ?? ""]),
  );
}

function holdsOf(fields: Readonly<Record<string, string>>): Hold[] {
  const scoped = Object.entries(fields).flatMap(([field, value]) => {
    const [, since, probeAt, reason] = /^(\d+) (\d+) (.*)$/.exec(value) ?? [];
    if (!field.startsWith("hold:") || reason === undefined) return [];
    return [{ scope: field.slice("hold:".length), reason, since: Number(since), probeAt: Number(probeAt) }];
  });
  // Redis lists the fields of a hash in no order of its own.
  const inOrder = scoped.toSorted((one, other) => one.since - other.since || one.scope.localeCompare(other.scope));
  const { hold } = fields;
  if (hold === undefined) return inOrder;
  const whole = {
    scope: null,
    reason: hold,
    since: Number(fields["hold_since"]),
    probeAt: Number(fields["hold_probe"]),
  };
  return [whole, ...inOrder];
}

function lossOf({ lost_at, lost_quota }: Readonly<Record<string, string>>): GateState["lost"] {
  if (lost_at === undefined) return null;
  return { at: Number(lost_at), quotaByHand: lost_quota === undefined ? null : unpackQuota(lost_quota) };
}

function breakerOf(fields: Readonly<Record<string, string>>): GateState["breaker"] {
  const { breaker } = fields;
  if (breaker !== "open" && breaker !== "ramp") return null;
  const nextAt = Number(fields[breaker === "open" ? "probe_at" : "ramp_at"]);
  return { state: breaker, since: Number(fields["open_since"]), nextAt };
}
