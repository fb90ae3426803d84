import { bullmqPrefix, jobIdOf, type QueueName, recordKey } from "../src/queues/names.ts";
import { unpackJob } from "../src/records/stored-job.ts";
import type { Opened } from "./opened.ts";

const CHUNK = 500;

/** Jobs that were put away because of a hold that is lifted: back into line, instead of when one would have tried again. */
export async function wakeHeld(
  { redis, queues }: Pick<Opened, "redis" | "queues">,
  queue: QueueName,
  scope: string,
): Promise<void> {
  const delayed = `${bullmqPrefix(queue)}delayed`;
  const waiting = await redis.zrange(delayed, "0", "-1");
  for (let from = 0; from < waiting.length; from += CHUNK) {
    const ids = waiting.slice(from, from + CHUNK).map(jobIdOf);
    const pipeline = redis.pipeline();
    for (const id of ids) pipeline.hmget(recordKey(queue, id), "cause", "job");
    const replies = (await pipeline.exec()) ?? [];
    const held = ids.filter((_, index) => {
      const [cause, job] = (replies[index]?.[1] ?? []) as (string | null)[];
      return cause === "scope" && unpackJob(job ?? "").scopes.includes(scope);
    });
    await queues.promote(queue, held);
  }
}
