import { Cluster } from "ioredis";
import type { RedisClient } from "./connection.ts";

/**
 * Whether a connection that has subscribed may send other commands: a Cluster has one of its own for messages, others can by
 * RESP3. Some servers and proxies speak only RESP2, which ioredis then falls back to.
 */
export async function sharesMessages(client: RedisClient): Promise<boolean> {
  if (client instanceof Cluster) return true;
  try {
    // `server redis version … proto 3 …`
    const facts = (await client.call("HELLO")) as unknown[];
    return facts[facts.indexOf("proto") + 1] === 3;
  } catch {
    return false;
  }
}
