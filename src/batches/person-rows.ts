import { personArgs, personPlace } from "../flows/person-place.ts";
import { queuePrefix, type QueueName } from "../queues/names.ts";
import type { RetentionTimes } from "../records/settings.ts";
import type { RedisClient } from "../redis/connection.ts";
import type { BatchTarget } from "./batch.ts";
import { repliesOf } from "../redis/replies.ts";

/** Jobs of the rows that had this person last, one for each of these targets at most; in one round trip, however many rows there are. */
export async function rowsOfPerson(
  redis: RedisClient,
  queue: QueueName,
  targets: readonly BatchTarget[],
  subject: string,
  retention: RetentionTimes,
  now: number,
): Promise<string[]> {
  const { shard, person } = personPlace(subject);
  const pipeline = redis.pipeline();
  for (const target of targets) {
    const { persons, age } = personArgs(target.name, retention, now);
    for (const back of [0, 1]) pipeline.hget(`${queuePrefix(queue)}${persons}${age - back}:${shard}`, person);
  }
  const replies = (await repliesOf(pipeline)) as (string | null)[];
  return [...new Set(replies.filter((job) => job !== null))];
}
