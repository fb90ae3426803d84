import type { Settings } from "../../src/config/settings.ts";
import { GateControl } from "../../src/limits/control.ts";
import { printOf, readPrints } from "../../src/limits/fleet.ts";
import { type ProviderName, PROVIDERS } from "../../src/base/provider-name.ts";
import type { RedisClient } from "../../src/redis/connection.ts";
import { bullmqPrefix, queueOf } from "../../src/queues/names.ts";
import { JobQueues } from "../../src/queues/job-queues.ts";
import { StateIndex } from "../../src/records/state-index.ts";
import { unlessRefused } from "../../src/redis/refusal.ts";
import type { ProviderFacts } from "./gate-findings.ts";

/** The facts of each provider that has settings here, or that ever had a worker or a job. */
export async function providerFacts(
  redis: RedisClient,
  settings: Settings,
  now: () => number,
): Promise<ProviderFacts[]> {
  const queues = new JobQueues(redis, now);
  try {
    const all = await Promise.all(
      PROVIDERS.map(async (provider) => await factsOf(redis, queues, settings, provider, now)),
    );
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
  now: () => number,
): Promise<ProviderFacts> {
  const queue = queueOf(provider);
  const base = bullmqPrefix(queue);
  const [gate, clients, interactive, bulk, unknown, live] = await Promise.all([
    new GateControl(redis).read(queue),
    queues.workers(queue).catch(unlessRefused),
    redis.llen(`${base}wait`),
    redis.zcard(`${base}prioritized`),
    new StateIndex(redis, "unknown").count(queue, now() - settings.retention.recordMs),
    readPrints(redis, queue),
  ]);
  // A worker's own user may not list clients; workers that live have a print.
  const workers = clients ?? live.size;
  const prints = [...live.values()];
  return {
    provider,
    gate,
    workers,
    waiting: interactive + bulk,
    unknown: unknown.count,
    prints,
    own: printOf(settings, provider),
  };
}
