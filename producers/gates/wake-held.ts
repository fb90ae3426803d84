import { GateControl } from "../../src/limits/control.ts";
import { heldScope } from "./gate-obstacle.ts";
import { bullmqPrefix, isOurJob, jobIdOf, type QueueName, recordKey } from "../../src/queues/names.ts";
import { unpackJob } from "../../src/records/stored-job.ts";
import type { ClientConnections } from "../base/client-connections.ts";
import { repliesOf } from "../../src/redis/replies.ts";

const CHUNK = 500;

/**
 * Jobs that were put away because of a hold that is lifted: back into line, instead of when one would have tried again.
 * Those that another hold keeps for at least as long stay where they are.
 */
export async function wakeHeld(
  { redis, queues }: Pick<ClientConnections, "redis" | "queues">,
  queue: QueueName,
  scope: string,
): Promise<void> {
  const gate = await new GateControl(redis).read(queue);
  const delayed = `${bullmqPrefix(queue)}delayed`;
  const waiting = await redis.zrange(delayed, "0", "-1");
  for (let from = 0; from < waiting.length; from += CHUNK) {
    const ids = waiting
      .slice(from, from + CHUNK)
      .filter(isOurJob)
      .map(jobIdOf);
    const pipeline = redis.pipeline();
    for (const id of ids) pipeline.hmget(recordKey(queue, id), "cause", "job", "next");
    const replies = await repliesOf(pipeline, []);
    const held = ids.filter((_, index) => {
      const [cause, job, next] = replies[index] as (string | null)[];
      const { holdNames } = unpackJob(job ?? "");
      const other = heldScope(gate, holdNames);
      return cause === "scope" && holdNames.includes(scope) && (other === null || other.probeAt < Number(next));
    });
    await queues.promote(queue, held);
  }
}
