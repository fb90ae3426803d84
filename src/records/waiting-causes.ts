import type { RedisClient } from "../redis/connection.ts";
import { bullmqPrefix, isOurJob, jobIdOf, type QueueName, recordKey } from "../queues/names.ts";
import { WAIT_CAUSES, type WaitCause } from "../outcomes/wait-cause.ts";
import { spreadSample } from "./spread-sample.ts";

/** Of those that are put away so many are looked at, spread over all; the others are taken to wait for the same causes. */
const LOOKED_AT = 200;

/** Why jobs that are put away until their time wait: how many for each cause. */
export async function waitingCauses(redis: RedisClient, queue: QueueName): Promise<Map<WaitCause | "other", number>> {
  const delayed = `${bullmqPrefix(queue)}delayed`;
  const count = await redis.zcard(delayed);
  if (count === 0) return new Map();
  const ids = await spreadSample(redis, delayed, { first: 0, count, most: LOOKED_AT });
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
