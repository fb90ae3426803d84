import type { Onboarding } from "../flows/onboarding.ts";
import type { QueueName } from "../queues/names.ts";
import { parseParent, PARENT_KINDS } from "../records/parent.ts";
import type { RedisClient } from "../redis/connection.ts";
import { BATCH_STATES, goesOn } from "./batch-state.ts";
import { batchKey } from "./keys.ts";

/**
 * Whether no further call is made for an onboarding now, because the batch whose row it is does not go on. A row of a batch that is
 * over goes on where a person decided so.
 */
export async function isHeld(redis: RedisClient, queue: QueueName, { parent }: Onboarding): Promise<boolean> {
  const batch = parent === null ? null : parseParent(parent);
  if (batch?.kind !== PARENT_KINDS.batch) return false;
  const [text, ended] = await redis.hmget(batchKey(queue, batch.of), "state", "ended");
  if ((text ?? null) === null || (ended ?? null) !== null) return false;
  const state = BATCH_STATES.find((known) => known === text);
  // In a state that this version does not know it waits for one that does.
  return state === undefined || !goesOn(state);
}
