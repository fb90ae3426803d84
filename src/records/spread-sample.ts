import type { RedisClient } from "../redis/connection.ts";

/** Stretches of neighbours that a sample is made of: from the first to the last rank. */
const STRETCHES = 4;

/** Members of a sorted set: `count` of them from the rank `first` on, or, where they are more than `most`, so many spread over all. */
export async function spreadSample(
  redis: RedisClient,
  key: string,
  { first, count, most }: { readonly first: number; readonly count: number; readonly most: number },
): Promise<string[]> {
  if (count <= 0) return [];
  if (count <= most) return await redis.zrange(key, String(first), String(first + count - 1));
  const part = Math.floor(most / STRETCHES);
  const starts = Array.from({ length: STRETCHES }, (_, nth) => {
    return first + Math.floor((nth * (count - part)) / (STRETCHES - 1));
  });
  const parts = await Promise.all(
    starts.map(async (from) => await redis.zrange(key, String(from), String(from + part - 1))),
  );
  return [...new Set(parts.flat())];
}
