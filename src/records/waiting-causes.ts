import type { RedisClient } from "../redis/connection.ts";
import { bullmqPrefix, isOurJob, jobIdOf, type QueueName, recordKey } from "../queues/names.ts";
import { WAIT_CAUSES, type WaitCause } from "../outcomes/wait-cause.ts";

/** Of those that are put away so many are looked at, spread over all; the others are taken to wait for the same causes. */
const LOOKED_AT = 200;

/** Why jobs that are put away until their time wait: how many for each cause. */
export async function waitingCauses(redis: RedisClient, queue: QueueName): Promise<Map<WaitCause | "other", number>> {
  const delayed = `${bullmqPrefix(queue)}delayed`;
  const count = await redis.zcard(delayed);
  if (count === 0) return new Map();
  const ids = await sample(redis, delayed, count);
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.hget(recordKey(queue, isOurJob(id) ? jobIdOf(id) : id), "cause");
  const replies = (await pipeline.exec()) ?? [];
  const found = new Map<WaitCause | "other", number>();
  for (const [error, cause] of replies) {
    const known = error === null ? WAIT_CAUSES.find((one) => one === cause) : undefined;
    found.set(known ?? "other", (found.get(known ?? "other") ?? 0) + 1);
  }
  return new Map([...found].map(([cause, times]) => [cause, Math.round((times * count) / ids.length)]));
}

/** The nearest ones, and as many from the middle and the end. */
async function sample(redis: RedisClient, key: string, count: number): Promise<string[]> {
  if (count <= LOOKED_AT) return await redis.zrange(key, "0", "-1");
  const part = Math.floor(LOOKED_AT / 4);
  const starts = [0, 1, 2, 3].map((nth) => Math.floor((nth * (count - part)) / 3));
  const parts = await Promise.all(
    starts.map(async (from) => await redis.zrange(key, String(from), String(from + part - 1))),
  );
  return [...new Set(parts.flat())];
}
