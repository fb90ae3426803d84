import { ErrorCode, SatyapanError } from "../src/error.ts";
import { ready, type RedisClient } from "../src/queues/connection.ts";

/** What Redis refuses commands with, by the first word of its answer, and how to mend it. */
const REFUSALS: ReadonlyMap<string, string> = new Map([
  ["OOM", "its memory is full: raise maxmemory"],
  ["MISCONF", "it cannot write to its disk: see its log"],
  ["READONLY", "it is a replica: set REDIS_URL to the master, or to the sentinels"],
  ["NOPERM", "the user in REDIS_URL may not do that: use one whose role may (docs/deployment.md tells the roles)"],
]);

/**
 * What to throw instead of an error that came out of a Redis command: SatyapanError `redis-unreachable` or
 * `redis-unsuitable`. Redis' own text is left behind, because it may quote what it was sent; faults of our own stay as they are.
 */
export async function redisFailure(error: unknown, redis: RedisClient): Promise<unknown> {
  if (error instanceof SatyapanError || error instanceof TypeError || error instanceof RangeError) return error;
  if (!(error instanceof Error)) return error;
  if (error.name === "ReplyError") {
    const word = /^[A-Z]+/.exec(error.message)?.[0] ?? "ERR";
    const remedy = REFUSALS.get(word) ?? "see its log";
    return new SatyapanError(ErrorCode.REDIS_UNSUITABLE, `Redis refused a command (${word}): ${remedy}`);
  }
  try {
    await ready(redis);
  } catch (unreachable) {
    return unreachable;
  }
  const lost = "the connection to Redis was lost on the way; try again (with an id, nothing is submitted twice)";
  return new SatyapanError(ErrorCode.REDIS_UNREACHABLE, lost, { cause: error });
}
