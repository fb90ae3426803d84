import type { TestRedis } from "./redis.ts";

/** Names of all keys. */
export async function keysIn(redis: TestRedis): Promise<string[]> {
  const client = redis.client();
  const found: string[] = [];
  let cursor = "0";
  do {
    const [next, keys] = await client.scan(cursor, "COUNT", 1_000);
    cursor = next;
    found.push(...keys);
  } while (cursor !== "0");
  return found.toSorted();
}

/** Everything a thief of this Redis would find: every key with its whole content, the events of the queues, and the AOF. */
export async function everythingIn(redis: TestRedis): Promise<string> {
  const client = redis.client();
  await client.config("SET", "rdbcompression", "no"); // else DUMP could hide a text from a plain search
  const found: string[] = [];
  for (const key of await keysIn(redis)) {
    found.push(key, (await client.dumpBuffer(key))?.toString("latin1") ?? "");
    if (key.endsWith(":events")) found.push(JSON.stringify(await client.xrange(key, "-", "+")));
  }
  return [...found, await redis.aofText()].join("\n");
}
