import type { Pace } from "../queues/queue-worker.ts";
import type { Quota } from "./quota.ts";

const UNPACED: Pace = { max: 1_000_000_000, ms: 1 };
/** Longer than a job needs from the queue to the gate, which closes the queue behind it. */
const SLOWEST_MS = 20;

/**
 * How fast workers may fetch jobs: ten times the shortest window's rate, one at a time. So few are fetched that the gate
 * turns back, though all workers wake at the moment it opens; and BullMQ honours the key that closes the gate only where
 * some rate limit is set (facts/bullmq §0.4). A slower pace would cost calls:
 * a permit that becomes free while it lasts is taken that much later. Above 100 calls/s the pace is of no use.
 */
export function paceOf(quota: Quota): Pace {
  const [shortest] = quota;
  if (shortest === undefined || shortest.max === 0) return { max: 1, ms: SLOWEST_MS };
  const ms = Math.floor(shortest.ms / (10 * shortest.max));
  return ms < 1 ? UNPACED : { max: 1, ms: Math.min(ms, SLOWEST_MS) };
}
