import { ErrorCode, SatyapanError } from "../base/error.ts";
import { ready, type RedisClient, settingOf } from "./connection.ts";
import { sourceOf } from "./error-source.ts";
import { refusalWord } from "./refusal.ts";

/** What Redis refuses commands with, by the first word of its answer, and how to mend it. */
const REFUSALS: ReadonlyMap<string, string> = new Map([
  ["OOM", "its memory is full: raise maxmemory"],
  ["MISCONF", "it cannot write to its disk: see its log"],
  ["READONLY", "it is a replica: set REDIS_URL to the master, or to the sentinels"],
  ["NOREPLICAS", "too few replicas follow it (min-replicas-to-write): mend the replicas"],
  ["LOADING", "it is still loading its data: wait"],
  ["BUSY", "a script keeps it busy: see its log"],
  ["MOVED", "its cluster is changing: wait"],
  ["ASK", "its cluster is changing: wait"],
  ["TRYAGAIN", "a slot of its cluster is on its way: wait"],
  ["CLUSTERDOWN", "its cluster is not whole: see CLUSTER INFO"],
  ["MASTERDOWN", "it is a replica that lost its master: set REDIS_URL to the master, or to the sentinels"],
  ["MAXCLIENTS", "it has as many clients as maxclients allows: raise it, or close some"],
  ["NOPERM", "the user in REDIS_URL may not do that: use one whose role may (docs/deployment.md tells the roles)"],
]);

/** How to mend what Redis refuses with this word (of `refusalWord`). */
export function refusalText(word: string): string {
  return REFUSALS.get(word) ?? "see its log";
}

/** That Redis refused what failed with `error`, by this word, and how to mend it; of `redis` where the error does not know better. */
export function refusedBy(error: unknown, word: string, redis: RedisClient | null = null): string {
  const source = sourceOf(error) ?? redis;
  const setting = source === null ? "REDIS_URL" : settingOf(source);
  const which = setting === "REDIS_URL" ? "Redis" : `the Redis of ${setting}`;
  return `${which} refused a command (${word}): ${refusalText(word).replaceAll("REDIS_URL", setting)}`;
}

/**
 * What to throw instead of an error that came out of a Redis command: SatyapanError `redis-unreachable` or
 * `redis-unsuitable`. `redis`: where it came from, unless it says so itself (`markErrors`). Redis' own text is left behind, because it may quote what it was sent; faults of our own stay as they are.
 */
export async function redisFailure(error: unknown, redis: RedisClient): Promise<unknown> {
  if (error instanceof SatyapanError || error instanceof TypeError || error instanceof RangeError) return error;
  if (!(error instanceof Error)) return error;
  const word = refusalWord(error);
  if (word !== null && word !== "CONNECTION" && word !== "TIMEOUT") {
    return new SatyapanError(ErrorCode.REDIS_UNSUITABLE, refusedBy(error, word, redis));
  }
  try {
    await ready(sourceOf(error) ?? redis);
  } catch (unreachable) {
    return unreachable;
  }
  const lost = "the connection to Redis was lost on the way; try again (with an id, nothing is submitted twice)";
  return new SatyapanError(ErrorCode.REDIS_UNREACHABLE, lost, { cause: error });
}
