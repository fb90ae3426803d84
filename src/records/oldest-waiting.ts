import type { RedisClient } from "../redis/connection.ts";
import { BULK_PRIORITY, BULK_VERIFY_PRIORITY, bullmqPrefix, queuePrefix, type QueueName } from "../queues/names.ts";
import { CLOCK } from "../redis/clock.ts";
import { LuaScript } from "../redis/script.ts";
import { GATE_CAUSES } from "../outcomes/wait-cause.ts";

/** Verifies and jobs that a closed gate put back stand before older ones: this many places of each lane are looked at. */
const LOOKED_AT = 256;
/** BullMQ's score of a prioritized job is its priority times this, plus a counter; put back, the counter is 0. */
const PRIORITY_SCALE = 2 ** 32;

export const OLDEST = new LuaScript(new URL("oldest-waiting.lua", import.meta.url), {
  needs: [CLOCK],
  constants: {
    LOOKED_AT,
    PRIORITY_SCALE,
    PRIORITIES: [BULK_VERIFY_PRIORITY, BULK_PRIORITY],
    GATE_CAUSES: new Set(GATE_CAUSES),
  },
  args: { bull: "text", prefix: "text" },
});

/** Since when the oldest job of a queue could run and does not, in ms by Redis' clock; null: none waits in line. */
export async function oldestWaitingMs(redis: RedisClient, queue: QueueName): Promise<number | null> {
  const base = bullmqPrefix(queue);
  const keys = [`${base}wait`, `${base}prioritized`];
  const age = (await OLDEST.run(redis, keys, { bull: base, prefix: queuePrefix(queue) })) as string;
  return age === "" ? null : Number(age);
}
