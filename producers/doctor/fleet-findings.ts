import type { Settings } from "../../src/config/settings.ts";
import { openKeyChain } from "../../src/privacy/keys/key-chain.ts";
import { ringIdsOf } from "../../src/limits/fleet.ts";
import { readLastBeat } from "../../src/queues/last-beat.ts";
import { queueOf, queuePrefix } from "../../src/queues/names.ts";
import { RedisClock } from "../../src/redis/clock.ts";
import { assertSuitable, checkRedis, ready, type RedisClient } from "../../src/redis/connection.ts";
import { redisFailure } from "../../src/redis/failure.ts";
import type { RedisPair } from "../../src/redis/pair.ts";
import { refusalWord } from "../../src/redis/refusal.ts";
import { livePrints, type LiveRings } from "../keys/live-rings.ts";
import { dutyFindings, heartbeatFindings } from "./duty-findings.ts";
import { failure, type Finding } from "./finding.ts";
import { keyFindings } from "./key-findings.ts";
import { onboardingFindings } from "./onboarding-findings.ts";
import { subjectKeyFindings } from "./subject-key-findings.ts";

export interface FleetDeps {
  readonly pair: RedisPair;
  /** Of the jobs. */
  readonly redis: RedisClient;
  readonly settings: Settings;
  readonly now: () => number;
  /** Workers that take jobs now. */
  readonly workers: number;
  /** Where Redis takes none, no worker can do what one does for all: that is told elsewhere, and not mended by a restart. */
  readonly takesWrites: boolean;
}

/** What all processes have to have in common, and what one worker does for all. */
export async function fleetFindings(deps: FleetDeps): Promise<Finding[]> {
  const { pair, redis, settings, now } = deps;
  const workers = deps.takesWrites ? deps.workers : 0;
  const prints = await livePrints(redis);
  const clock = new RedisClock({ now });
  await clock.learn(redis, `${queuePrefix(queueOf("eko"))}control`);
  const isAskedFor = settings.worker.heartbeatBaseUrl !== null;
  return [
    ...(await openedKeyFindings(pair, redis, settings, prints.map(ringIdsOf), now)),
    ...(await subjectKeyFindings(redis, settings.subjectKey, prints)),
    ...(await dutyFindings(redis, workers).catch(unlessForbidden)),
    ...(await onboardingFindings(redis, { now: clock.now(), workers }).catch(unlessForbidden)),
    ...heartbeatFindings(await readLastBeat(redis), { now: clock.now(), workers, isAskedFor }),
  ];
}

async function openedKeyFindings(
  pair: RedisPair,
  redis: RedisClient,
  settings: Settings,
  rings: LiveRings,
  now: () => number,
): Promise<Finding[]> {
  const keysRedis = pair.areApart ? pair.keys.connect("client") : redis;
  try {
    if (pair.areApart) {
      await ready(keysRedis);
      assertSuitable(await checkRedis(keysRedis), "KEYS_REDIS_URL");
    }
    const life = { keyLifeMs: settings.keyLifeMs, now: now() };
    return await keyFindings(openKeyChain(keysRedis, settings, now), rings, life);
  } catch (error) {
    return [failure(pair.areApart ? "keys' redis" : "keys", await redisFailure(error, keysRedis))];
  }
}

/** A producer's own user may not look at what is the workers'. */
export function unlessForbidden(error: unknown): Finding[] {
  if (refusalWord(error) === "NOPERM") return [];
  throw error;
}
