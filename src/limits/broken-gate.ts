import type { RedisClient } from "../redis/connection.ts";
import { queuePrefix, providerOf, type QueueName } from "../queues/names.ts";
import { BROKEN } from "./control-scripts.ts";

/** Why a queue's gate lets nobody call though nothing stops anybody: one sentence, or null. */
export async function brokenGateText(redis: RedisClient, queue: QueueName): Promise<string | null> {
  const fields = (await BROKEN.run(redis, [`${queuePrefix(queue)}control`], { prefix: queuePrefix(queue) })) as string;
  return fields === "" ? null : describeBrokenGate(fields, providerOf(queue));
}

/** `fields`: `control` where its key holds something else than a gate. `provider` as `satyapan provider` takes it. */
export function describeBrokenGate(fields: string, provider: string): string {
  return `what ${provider}'s gate knows in Redis cannot be read (${fields}), so nobody calls: \`satyapan provider resume ${provider}\` removes it, and workers bring back the quota`;
}
