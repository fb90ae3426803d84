import type { Settings } from "../../src/config/settings.ts";
import { GateControl } from "../../src/limits/control.ts";
import { printOf, readPrints } from "../../src/limits/fleet.ts";
import { type ProviderName, PROVIDERS } from "../../src/base/provider-name.ts";
import type { RedisClient } from "../../src/redis/connection.ts";
import { bullmqPrefix, dueKey, type QueueName, queueOf, recordKey } from "../../src/queues/names.ts";
import { JobQueues } from "../../src/queues/job-queues.ts";
import type { ProviderFacts } from "./gate-findings.ts";

/** There is no list of unknown jobs. Their input is kept for a while, so they are among what the reaper will look at. */
const LOOKED_AT = 1_000;

/** The facts of each provider that has settings here, or that ever had a worker or a job. */
export async function providerFacts(
  redis: RedisClient,
  settings: Settings,
  now: () => number,
): Promise<ProviderFacts[]> {
  const queues = new JobQueues(redis, now);
  try {
    const all = await Promise.all(PROVIDERS.map(async (provider) => await factsOf(redis, queues, settings, provider)));
    return all.filter(
      ({ own, gate, waiting, workers }) => own !== null || gate.quota.length > 0 || waiting > 0 || workers > 0,
    );
  } finally {
    await queues.close();
  }
}

async function factsOf(
  redis: RedisClient,
  queues: JobQueues,
  settings: Settings,
  provider: ProviderName,
): Promise<ProviderFacts> {
  const queue = queueOf(provider);
  const base = bullmqPrefix(queue);
  const [gate, clients, interactive, bulk, unknown, live] = await Promise.all([
    new GateControl(redis).read(queue),
    queues.workers(queue).catch(notAllowed),
    redis.llen(`${base}wait`),
    redis.zcard(`${base}prioritized`),
    unknownOf(redis, queue),
    readPrints(redis, queue),
  ]);
  // A worker's own user may not list clients; workers that live have a print.
  const workers = clients ?? live.size;
  const prints = [...live.values()];
  return { provider, gate, workers, waiting: interactive + bulk, unknown, prints, own: printOf(settings, provider) };
}

function notAllowed(error: unknown): null {
  if (error instanceof Error && error.name === "ReplyError") return null;
  throw error;
}

async function unknownOf(redis: RedisClient, queue: QueueName): Promise<ProviderFacts["unknown"]> {
  const [all, ids] = await Promise.all([
    redis.zcard(dueKey(queue)),
    redis.zrange(dueKey(queue), "0", String(LOOKED_AT - 1), "REV"),
  ]);
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.hget(recordKey(queue, id), "state");
  const states = ids.length === 0 ? [] : ((await pipeline.exec()) ?? []);
  return { count: states.filter(([, state]) => state === "unknown").length, looked: ids.length, all };
}
