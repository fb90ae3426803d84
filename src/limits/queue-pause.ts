import type { RedisClient } from "../redis/connection.ts";
import { bullmqPrefix, EVENTS_KEPT, queuePrefix, type QueueName } from "../queues/names.ts";
import { CLOCK } from "../redis/clock.ts";
import { LuaScript } from "../redis/script.ts";
import { atTime } from "../base/at-time.ts";

/** Another tool called BullMQ's `queue.pause()`: no worker takes a job of it, whatever the gate says. */
export interface QueuePause {
  /** ms, by Redis' clock. */
  readonly since: number;
  /** False: `since` is when it was first seen, because BullMQ's events do not go back so far or may not be read. */
  readonly exact: boolean;
}

export const PAUSE = new LuaScript(new URL("queue-pause.lua", import.meta.url), {
  needs: [CLOCK],
  constants: { EVENTS: EVENTS_KEPT },
});

/** Null: it is not paused. One round trip. */
export async function readPause(redis: RedisClient, queue: QueueName): Promise<QueuePause | null> {
  const base = bullmqPrefix(queue);
  const keys = [`${base}meta`, `${base}events`, `${queuePrefix(queue)}paused`];
  const [since = "", exact] = ((await PAUSE.run(redis, keys, {})) as string).split(" ");
  return since === "" ? null : { since: Number(since), exact: exact === "1" };
}

/** `provider` as `satyapan provider` takes it. */
export function describePause({ since, exact }: QueuePause, now: number, provider: string): string {
  const when = exact ? atTime(since, now) : `${atTime(since, now)} at the latest`;
  return `the queue is paused in BullMQ since ${when}, by another tool, and no worker takes its jobs; \`satyapan provider resume ${provider}\` resumes it`;
}
