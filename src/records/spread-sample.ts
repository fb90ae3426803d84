import type { RedisClient } from "../redis/connection.ts";

/** Stretches of neighbours that a sample is made of: from the first to the last rank. */
const STRETCHES = 4;

export interface Sample {
  readonly members: readonly string[];
  /** How many of all each of them stands for: 1 where all were read, however many there were a moment before. */
  readonly each: number;
}

/** Members of a sorted set: `count` of them from the rank `first` on, or, where they are more than `most`, so many spread over all. */
export async function spreadSample(
  redis: RedisClient,
  key: string,
  { first, count, most }: { readonly first: number; readonly count: number; readonly most: number },
): Promise<Sample> {
  if (count <= 0) return { members: [], each: 1 };
  if (count <= most) return { members: await redis.zrange(key, String(first), String(first + count - 1)), each: 1 };
  const part = Math.floor(most / STRETCHES);
  const starts = Array.from({ length: STRETCHES }, (_, nth) => {
    return first + Math.floor((nth * (count - part)) / (STRETCHES - 1));
  });
  const parts = await Promise.all(
    starts.map(async (from) => await redis.zrange(key, String(from), String(from + part - 1))),
  );
  const members = [...new Set(parts.flat())];
  return { members, each: count / Math.max(1, members.length) };
}
