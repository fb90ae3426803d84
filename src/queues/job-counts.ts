import type { RedisClient } from "../redis/connection.ts";
import { bullmqPrefix, type QueueName } from "./names.ts";
import { parseTicket } from "./ticket.ts";

/** Entries that are looked at one by one in each of BullMQ's lists; behind these the rest is taken to be like them. */
const LOOKED_AT = 1_000;

/** BullMQ's states in which tickets may be; those that are put away are jobs of their own. */
const LISTS = [
  ["waiting", "wait"],
  ["active", "active"],
  ["prioritized", "prioritized"],
] as const;

/** How many jobs an entry of the queue stands for. A ticket's name tells how many it was made of, some of which may be done. */
export function jobsOfEntry(bullmqId: string): number {
  return parseTicket(bullmqId)?.size ?? 1;
}

/** BullMQ's counts of entries as counts of jobs. */
export async function jobCounts(
  redis: RedisClient,
  queue: QueueName,
  entries: Readonly<Record<string, number>>,
): Promise<Readonly<Record<string, number>>> {
  const base = bullmqPrefix(queue);
  const names = await Promise.all(
    LISTS.map(async ([, key]) =>
      key === "prioritized"
        ? await redis.zrange(`${base}${key}`, "0", String(LOOKED_AT - 1))
        : await redis.lrange(`${base}${key}`, -LOOKED_AT, -1),
    ),
  );
  const counted = LISTS.map(([state], index) => {
    const some = names[index] ?? [];
    const jobs = some.reduce((sum, name) => sum + jobsOfEntry(name), 0);
    const all = entries[state] ?? 0;
    // What was counted before may be fewer by now: a list that was looked at whole is as it is.
    const isWhole = some.length < LOOKED_AT || all <= some.length;
    return [state, isWhole ? jobs : Math.round((jobs * all) / some.length)] as const;
  });
  return { ...entries, ...Object.fromEntries(counted) };
}
