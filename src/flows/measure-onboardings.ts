import { isRead } from "../base/unread.ts";
import { LANES } from "../outcomes/lane.ts";
import { providerOf, type QueueName } from "../queues/names.ts";
import { spreadSample } from "../records/spread-sample.ts";
import type { RedisClient } from "../redis/connection.ts";
import type { OnboardingMeasures } from "../telemetry/person-metrics.ts";
import { FLOWS } from "./flows.ts";
import { isFinal, ONBOARDING_STATES, parseOnboarding } from "./onboarding.ts";
import { onboardingKey, onboardingsDueKey } from "./onboarding-store.ts";
import { repliesOf } from "../redis/replies.ts";

/** So many are looked at, spread over all; the others are taken to stand alike. */
const LOOKED_AT = 200;
const OPEN_STATES = ONBOARDING_STATES.filter((state) => !isFinal(state));
const OPEN: ReadonlySet<string> = new Set(OPEN_STATES);

/** Onboardings of a queue that are not over. `now`: Redis' time, ms. */
export async function measureOnboardings(
  redis: RedisClient,
  queue: QueueName,
  now: number,
): Promise<OnboardingMeasures> {
  const key = onboardingsDueKey(queue);
  const [count, [, due = Infinity]] = await Promise.all([redis.zcard(key), redis.zrange(key, "0", "0", "WITHSCORES")]);
  const { members: ids, each } = await spreadSample(redis, key, { first: 0, count, most: LOOKED_AT });
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.hmget(onboardingKey(queue, id), "terms", "state", "updated");
  const replies = await repliesOf(pipeline, []);
  const times = new Map<string, number>();
  const unmoved = Object.fromEntries(LANES.map((lane) => [lane, 0]));
  for (const reply of replies) {
    const [terms, state, updated] = reply as (string | null)[];
    if (terms === undefined || terms === null || state === undefined || state === null) continue;
    const found = parseOnboarding("", { terms, state, updated: updated ?? "" });
    if (!isRead(found) || !OPEN.has(found.state)) continue;
    const what = `${found.flow} ${found.state}`;
    times.set(what, (times.get(what) ?? 0) + 1);
    if (found.state !== "running") continue;
    unmoved[found.lane] = Math.max(unmoved[found.lane] ?? 0, (now - found.updatedAt) / 1_000);
  }
  const flows = FLOWS.filter(({ provider }) => provider === providerOf(queue));
  const open = flows.flatMap(({ name: flow }) =>
    OPEN_STATES.map((state) => {
      const seen = times.get(`${flow} ${state}`) ?? 0;
      return { flow, state, count: Math.round(seen * each) };
    }),
  );
  return { open, unmoved, lag: Math.max(0, (now - Number(due)) / 1_000) };
}
