import type { Redis } from "ioredis";
import { bullmqPrefix, QUEUES } from "../src/queues/names.ts";

/** Full life of a lock and of the mark that stalled jobs were looked for, in ms (workers/queue-worker.ts). */
const LOCK_MS = 60_000;
const CHECK_MS = 15_000;

/**
 * Lets time run faster for BullMQ's locks: one that was not renewed for `lifeMs` is gone, and stalled jobs may be looked
 * for every `checkMs`. A dead worker's job is so found in seconds, and a frozen worker's lock dies under it.
 */
export async function ageLocks(redis: Redis, lifeMs: number, checkMs: number): Promise<void> {
  for (const queue of QUEUES) {
    const prefix = bullmqPrefix(queue);
    const locks = (await redis.lrange(`${prefix}active`, 0, -1)).map((id) => `${prefix}${id}:lock`);
    const ages = await Promise.all(locks.map(async (lock) => LOCK_MS - (await redis.pttl(lock))));
    const old = locks.filter((_, index) => (ages[index] ?? 0) >= lifeMs);
    if (CHECK_MS - (await redis.pttl(`${prefix}stalled-check`)) >= checkMs) old.push(`${prefix}stalled-check`);
    if (old.length > 0) await redis.unlink(old);
  }
}
