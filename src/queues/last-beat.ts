import type { RedisClient } from "../redis/connection.ts";
import { HEARTBEAT_QUEUE, queuePrefix } from "./names.ts";

/** The last heartbeat that came through. Times in ms. */
export interface LastBeat {
  readonly at: number;
  /** From when it was made to when its end was written; null: none has come through yet. */
  readonly tookMs: number | null;
}

const LAST_KEY = `${queuePrefix(HEARTBEAT_QUEUE)}last`;

/** Null: none was ever made. */
export async function readLastBeat(redis: RedisClient): Promise<LastBeat | null> {
  const [at, took = ""] = ((await redis.get(LAST_KEY)) ?? "").split(" ");
  const atMs = Number(at);
  if (at === "" || !Number.isFinite(atMs)) return null;
  return { at: atMs, tookMs: took === "" ? null : Number(took) };
}

/** Where none ever came through, its age counts from here. */
export async function beginBeats(redis: RedisClient, now: number): Promise<void> {
  await redis.set(LAST_KEY, now, "NX");
}

export async function beatCameThrough(redis: RedisClient, now: number, tookMs: number): Promise<void> {
  await redis.set(LAST_KEY, `${now} ${tookMs}`);
}
