import { setTimeout as sleep } from "node:timers/promises";
import { formatDuration } from "../../src/base/duration.ts";
import type { LastBeat } from "../../src/queues/last-beat.ts";
import type { RedisClient } from "../../src/redis/connection.ts";
import { leaseState } from "../../src/redis/lease.ts";
import type { Finding } from "./finding.ts";

/** A worker that was killed leaves the duty for some 4.3 s: after this, in ms, nobody takes it. */
const TAKEOVER_MS = 6_000;
const LOOK_MS = 200;

/** Whether one of the workers does what one does for all. None: no worker runs, which is told elsewhere. */
export async function dutyFindings(redis: RedisClient, workers: number, takeoverMs = TAKEOVER_MS): Promise<Finding[]> {
  if (workers === 0) return [];
  const check = "duty";
  const until = performance.now() + takeoverMs;
  let state = await leaseState(redis);
  while (state === "free" && performance.now() < until) {
    await sleep(LOOK_MS);
    state = await leaseState(redis);
  }
  if (state === "held") return [{ check, status: "ok", detail: "one worker does what one does for all" }];
  const idle = "batches, onboardings, deadlines and the audit log stand still";
  const why =
    state === "free"
      ? `no worker has done what one does for all for ${formatDuration(takeoverMs)}: restart the workers, and see their logs`
      : "what stands in Redis in the place of the workers' lease is no worker's: delete satyapan:{workers}:lease";
  return [{ check, status: "failed", detail: `${why}; meanwhile ${idle}` }];
}

/** One beat a minute, which may take 50 s. From then on one is missing, in ms. */
const LATE_MS = 120_000;
/** As the alert has it (deploy/prometheus/rules.yml), in ms. */
const LOST_MS = 180_000;
/** Where it is not asked for here, one that is older was switched off, in ms. */
const SWITCHED_OFF_MS = 3_600_000;

export interface BeatFacts {
  /** Redis' time, ms. */
  readonly now: number;
  readonly workers: number;
  /** HEARTBEAT_BASE_URL is set here. */
  readonly isAskedFor: boolean;
}

/** Whether jobs about nobody go the whole way, where that is tried. */
export function heartbeatFindings(last: LastBeat | null, { now, workers, isAskedFor }: BeatFacts): Finding[] {
  const check = "heartbeat";
  if (workers === 0) return [];
  if (last === null) {
    if (!isAskedFor) return [];
    const detail = "HEARTBEAT_BASE_URL is set here, and no worker makes any: set it for the workers, too";
    return [{ check, status: "warning", detail }];
  }
  const ageMs = Math.max(0, now - last.at);
  const age = formatDuration(Math.round(ageMs / 1_000) * 1_000);
  if (ageMs <= LATE_MS) {
    const detail = last.tookMs === null ? "the first is under way" : `the last one came through ${age} ago`;
    return [{ check, status: "ok", detail }];
  }
  if (!isAskedFor && ageMs > SWITCHED_OFF_MS) return [];
  const none = last.tookMs === null ? `none has come through in ${age}` : `the last one came through ${age} ago`;
  const cure = "see what is behind HEARTBEAT_BASE_URL, the workers' logs, and docs/runbooks/heartbeat-lost.md";
  const off = isAskedFor ? "" : " (unless it was switched off)";
  return [{ check, status: ageMs > LOST_MS && isAskedFor ? "failed" : "warning", detail: `${none}${off}: ${cure}` }];
}
