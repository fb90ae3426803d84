import { formatDuration } from "../../src/base/duration.ts";
import { onboardingsDueKey } from "../../src/flows/onboarding-store.ts";
import { providerOf, QUEUES } from "../../src/queues/names.ts";
import type { RedisClient } from "../../src/redis/connection.ts";
import type { Finding } from "./finding.ts";

/** Workers look every 8 s at what is due: one that has been due for longer, in ms, they fail at. */
const LATE_MS = 60_000;

/** Which onboarding stands still though its time has come. `now`: Redis' time, ms. None: no worker runs, which is told elsewhere. */
export async function onboardingFindings(
  redis: RedisClient,
  { now, workers }: { readonly now: number; readonly workers: number },
): Promise<Finding[]> {
  if (workers === 0) return [];
  const firsts = await Promise.all(
    QUEUES.map(async (queue) => [queue, await redis.zrange(onboardingsDueKey(queue), "0", "0", "WITHSCORES")] as const),
  );
  return firsts.flatMap(([queue, [id, at]]): Finding[] => {
    const lateMs = now - Number(at ?? now);
    if (id === undefined || lateMs <= LATE_MS) return [];
    const age = formatDuration(Math.round(lateMs / 1_000) * 1_000);
    const detail = `${id} should have been taken on ${age} ago: see \`satyapan onboard show ${id}\`, the workers' logs, and docs/runbooks/onboarding-stuck.md`;
    return [{ check: `${providerOf(queue)} onboardings`, status: "warning", detail }];
  });
}
