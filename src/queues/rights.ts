import type { RedisClient } from "../redis/connection.ts";
import { LuaScript } from "../redis/script.ts";
import { BULLMQ_PREFIX, recordKey, type QueueName } from "./names.ts";

/** Run as every script is. */
export const MAY_READ = new LuaScript(new URL("may-read.lua", import.meta.url));

/** What the user of a connection may do, tried with commands that change nothing. */
export interface RedisRights {
  /** Null: the server does not tell. */
  readonly user: string | null;
  readonly submit: boolean;
  readonly work: boolean;
  readonly operate: boolean;
  /** More than any role needs: it may look at all users. */
  readonly administer: boolean;
}

/** Rejects with ioredis' errors of a lost connection. */
export async function rightsOf(redis: RedisClient, queue: QueueName): Promise<RedisRights> {
  // No job has such an id, no key such a name.
  const [record, marker] = [recordKey(queue, "-"), `${BULLMQ_PREFIX}:${queue}:-`];
  const user = await redis.call("ACL", "WHOAMI").catch(() => null);
  const [submit, work, operate, administer] = await Promise.all([
    may(MAY_READ.run(redis, [record], {})),
    may(redis.zpopmin(marker)),
    may(redis.dump(record)),
    may(redis.call("ACL", "GETUSER", "-")),
  ]);
  return { user: typeof user === "string" ? user : null, submit, work, operate, administer };
}

async function may(reply: Promise<unknown>): Promise<boolean> {
  try {
    await reply;
    return true;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "ReplyError") throw error;
    // In a script Redis 6.2 and 7 say it in other words.
    return !/NOPERM|can't (run|access)|No permissions/i.test(error.message);
  }
}
