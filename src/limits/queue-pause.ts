import type { RedisClient } from "../redis/connection.ts";
import { bullmqPrefix, queuePrefix, type QueueName } from "../queues/names.ts";
import { LuaScript } from "../redis/script.ts";
import { atTime } from "../base/at-time.ts";

/** Another tool called BullMQ's `queue.pause()`: no worker takes a job of it, whatever the gate says. */
export interface QueuePause {
  /** ms, by Redis' clock. */
  readonly since: number;
  /** False: `since` is when it was first seen, because BullMQ's events do not go back so far or may not be read. */
  readonly exact: boolean;
}

/** All that our workers let BullMQ keep. */
const EVENTS = 1_000;

/**
 * KEYS meta, events, seen. → '', or since when and whether that is exact. It is remembered, because the events go on; where
 * Redis takes no write it is told all the same.
 */
const PAUSE = new LuaScript(`
local seen = redis.call('GET', KEYS[3])
if not redis.call('HGET', KEYS[1], 'paused') then
  if seen then redis.pcall('DEL', KEYS[3]) end
  return ''
end
if seen then return seen end
local t = redis.call('TIME')
local since, exact = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000)), '0'
local events = redis.pcall('XREVRANGE', KEYS[2], '+', '-', 'COUNT', ${EVENTS})
for _, event in ipairs(events.err and {} or events) do
  if event[2][1] == 'event' and event[2][2] == 'paused' then
    since, exact = string.match(event[1], '%d+'), '1'
    break
  end
end
redis.pcall('SET', KEYS[3], since .. ' ' .. exact)
return since .. ' ' .. exact
`);

/** Null: it is not paused. One round trip. */
export async function readPause(redis: RedisClient, queue: QueueName): Promise<QueuePause | null> {
  const base = bullmqPrefix(queue);
  const keys = [`${base}meta`, `${base}events`, `${queuePrefix(queue)}paused`];
  const [since = "", exact] = ((await PAUSE.run(redis, keys, [])) as string).split(" ");
  return since === "" ? null : { since: Number(since), exact: exact === "1" };
}

/** `provider` as `satyapan provider` takes it. */
export function describePause({ since, exact }: QueuePause, now: number, provider: string): string {
  const when = exact ? atTime(since, now) : `${atTime(since, now)} at the latest`;
  return `the queue is paused in BullMQ since ${when}, by another tool, and no worker takes its jobs; \`satyapan provider resume ${provider}\` resumes it`;
}
