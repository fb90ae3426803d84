import { MINUTE } from "../base/time.ts";
import { dueKey, type QueueName, recordKey } from "../queues/names.ts";
import type { RedisClient } from "../redis/connection.ts";
import { type Sample, spreadSample } from "./spread-sample.ts";
import { repliesOf } from "../redis/replies.ts";

/** The time that is left to answer, by the upper end of each part; `longer` is all beyond. */
export const TIMES_LEFT = ["1m", "3m", "10m", "longer"] as const;
export type TimeLeft = (typeof TIMES_LEFT)[number];

const ENDS: Readonly<Record<TimeLeft, number>> = {
  ...{ "1m": MINUTE, "3m": 3 * MINUTE, "10m": 10 * MINUTE },
  longer: Infinity,
};
/** Records of each part that are looked at; the others are taken to be alike. */
const LOOKED_AT = 60;

/** Challenges that are open now, by the time that is left. */
export type OpenChallenges = Readonly<Record<TimeLeft, number>>;

/** The reaper looks at a send when its OTP can no longer be answered: until then its challenge is open, if nobody answered. */
export async function openChallengesOf(redis: RedisClient, queue: QueueName, now: number): Promise<OpenChallenges> {
  const edges = [now, ...TIMES_LEFT.map((left) => now + ENDS[left])];
  const counted = await Promise.all(
    TIMES_LEFT.map(async (left, nth) => {
      const [after = now, to = Infinity] = edges.slice(nth, nth + 2);
      return [left, await openAmong(redis, queue, `(${after}`, to === Infinity ? "+inf" : String(to))] as const;
    }),
  );
  return Object.fromEntries(counted) as OpenChallenges;
}

/** Of the records that are due between these two scores. */
async function openAmong(redis: RedisClient, queue: QueueName, from: string, to: string): Promise<number> {
  const { members: ids, each } = await dueBetween(redis, dueKey(queue), from, to);
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.hmget(recordKey(queue, id), "state", "input", "replaced");
  const replies = await repliesOf(pipeline, []);
  const open = replies.filter((fields) => isOpen(fields as (string | null)[]));
  return Math.round(open.length * each);
}

/** Few by their scores: their ranks are others as soon as one before them is done. */
async function dueBetween(redis: RedisClient, key: string, from: string, to: string): Promise<Sample> {
  const few = await redis.zrangebyscore(key, from, to, "LIMIT", 0, LOOKED_AT + 1);
  if (few.length <= LOOKED_AT) return { members: few, each: 1 };
  const [first, count] = await Promise.all([redis.zcount(key, "-inf", from.slice(1)), redis.zcount(key, from, to)]);
  return await spreadSample(redis, key, { first, count, most: LOOKED_AT });
}

/** Of what succeeded, only a send keeps its input, and only until its OTP is answered or can be answered no more. */
function isOpen([state, input = null, replaced]: readonly (string | null)[]): boolean {
  return state === "succeeded" && input !== null && replaced === null;
}
