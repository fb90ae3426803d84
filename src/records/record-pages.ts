import { Cluster, type Redis } from "ioredis";
import type { RedisClient } from "../redis/connection.ts";
import { type QueueName, recordKey } from "../queues/names.ts";

/**
 * The ids of all records of a queue, for each `keys` keys of any kind in Redis a page, in one round trip; a page may well have none. One that comes or
 * goes meanwhile may be left out, and one may come twice.
 */
export async function* recordPages(
  redis: RedisClient,
  queue: QueueName,
  keys: number,
): AsyncGenerator<readonly string[], void, void> {
  const prefix = recordKey(queue, "");
  const nodes: readonly Redis[] = redis instanceof Cluster ? redis.nodes("master") : [redis];
  for (const node of nodes) {
    let cursor = "0";
    do {
      const [next, found] = await node.scan(cursor, "MATCH", `${prefix}*`, "COUNT", keys);
      yield found.map((key) => key.slice(prefix.length));
      cursor = next;
    } while (cursor !== "0");
  }
}
