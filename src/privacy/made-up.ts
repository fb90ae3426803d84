import { ErrorCode, SatyapanError } from "../base/error.ts";
import type { RedisClient } from "../redis/connection.ts";
import { callsRealProvider, type CalledProviders } from "./hygiene.ts";

/** In a Redis that holds jobs of made-up people; gone with its data. */
const MADE_UP_KEY = "satyapan:{workers}:made-up";

/** Before the first job of made-up people: their numbers may be somebody's, so no worker that calls real providers starts on this Redis any more. */
export async function markMadeUp(redis: RedisClient): Promise<void> {
  await redis.set(MADE_UP_KEY, "demo");
}

/** @throws SatyapanError `redis-unsuitable` where these providers would be called with the numbers of made-up people */
export async function assertNotMadeUp(redis: RedisClient, providers: CalledProviders): Promise<void> {
  if (!callsRealProvider(providers) || (await redis.exists(MADE_UP_KEY)) === 0) return;
  throw new SatyapanError(
    ErrorCode.REDIS_UNSUITABLE,
    "Redis holds jobs of the demo's made-up people, whose numbers may be somebody's, and the settings name a real provider: " +
      "throw the demo's data away (docker compose --profile demo down --volumes; of npm run demo its folder), or use another Redis",
  );
}
