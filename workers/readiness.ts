import { setTimeout as sleep } from "node:timers/promises";
import { brokenGateText } from "../src/limits/broken-gate.ts";
import { describePause, readPause } from "../src/limits/queue-pause.ts";
import type { RedisClient } from "../src/redis/connection.ts";
import { queuePrefix, providerOf, type QueueName } from "../src/queues/names.ts";
import { refusalText } from "../src/redis/failure.ts";
import { refusalWord } from "../src/redis/refusal.ts";

export interface ReadinessDeps {
  /** A connection of the client's role: it fails fast. */
  readonly redis: RedisClient;
  readonly queues: readonly QueueName[];
  /** Whatever else keeps the worker from taking jobs: a sentence, or null. Asked first, in this order. */
  readonly checks: readonly (() => string | null)[];
  readonly now: () => number;
}

/** The longest wait for Redis, in ms: a probe gets its answer within a second, also where Redis is frozen. */
const ANSWER_MS = 800;
/** The life of the key that is written, in ms. */
const KEPT_MS = 60_000;

/** Why this worker is not ready, or null. Proven by a real write for every queue: a replica answers PING as well. */
export async function notReady({ redis, queues, checks, now }: ReadinessDeps): Promise<string | null> {
  for (const check of checks) {
    const why = check();
    if (why !== null) return why;
  }
  const late = sleep(ANSWER_MS, "redis does not answer", { ref: false });
  return await Promise.race([writes(redis, queues, now), late]);
}

async function writes(redis: RedisClient, queues: readonly QueueName[], now: () => number): Promise<string | null> {
  try {
    const [pauses, broken] = await Promise.all([
      Promise.all(queues.map(async (queue) => await pauseText(redis, queue, now))),
      Promise.all(queues.map(async (queue) => await brokenGateText(redis, queue))),
      ...queues.map((queue) => redis.set(`${queuePrefix(queue)}ready`, "1", "PX", KEPT_MS)),
    ]);
    return [...broken, ...pauses].find((text) => text !== null) ?? null;
  } catch (error) {
    const word = refusalWord(error);
    if (word === null || word === "CONNECTION" || word === "TIMEOUT") return "redis is away";
    return `redis refuses writes (${word}): ${refusalText(word)}`;
  }
}

async function pauseText(redis: RedisClient, queue: QueueName, now: () => number): Promise<string | null> {
  const pause = await readPause(redis, queue);
  return pause === null ? null : `${providerOf(queue)}: ${describePause(pause, now(), providerOf(queue))}`;
}
