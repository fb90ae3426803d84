import { paceOf } from "../src/limits/pace.ts";
import type { ProviderName } from "../src/base/provider-name.ts";
import { queueOf } from "../src/queues/names.ts";
import { type LockTimes, QueueWorker } from "../src/queues/queue-worker.ts";
import { Journal } from "../src/records/journal.ts";
import { Closings } from "./closings.ts";
import { gatePolicy } from "./gate-policy.ts";
import { JobRunner } from "./job-runner.ts";
import type { KeyWatch } from "./key-watch.ts";
import type { FailPoint } from "./open-attempt.ts";
import { queueLog } from "./queue-log.ts";
import { rememberGate } from "./redis-memory.ts";
import { closeInTime, type Shutdown } from "./shutdown.ts";
import type { WorkerCore } from "./worker-core.ts";

/** One provider's credential, whose queue this worker takes jobs of. */
export interface ServedCredential {
  readonly worker: QueueWorker;
  readonly closings: Closings;
}

export interface ServeOptions {
  readonly core: WorkerCore;
  readonly shutdown: Shutdown;
  readonly keyWatch: KeyWatch;
  readonly random: () => number;
  readonly atPoint?: ((point: FailPoint) => void) | undefined;
  readonly lock?: LockTimes | undefined;
}

const GIVEN_UP = "given up after repeated faults of our own; see the log";

/** Opens the credential's gate, journal and queue onto `started`. Takes no job before `worker.start`. */
export async function serveCredential(
  provider: ProviderName,
  { core, shutdown, keyWatch, random, atPoint, lock }: ServeOptions,
  started: AsyncDisposableStack,
): Promise<ServedCredential> {
  const { settings, logger, metrics, providers, connection, clock, redisNow, records, ids, keyChain } = core;
  const queue = queueOf(provider);
  const ownQuota = settings.quotas[provider];
  const memory = await rememberGate({ redis: connection, clock, metrics, logger }, queue, ownQuota);
  started.defer(async () => await memory.close());
  const quota = await core.control.configure(queue, ownQuota);
  const journal = new Journal({
    redis: connection,
    queue,
    retentionMs: settings.retention.recordMs,
    policy: gatePolicy(settings),
    memory,
  });
  const closings = new Closings({ journal, metrics, logger, givenUp: shutdown.givenUp });
  const runner = new JobRunner({
    ...{ journal, closings, settings, providers, metrics, logger, ids, now: redisNow, random, atPoint },
    ...{ dataKeys: keyChain.dataKeys, stopping: shutdown.stopping, signal: shutdown.aborting },
    park: async (id, state, reason) => await records.abandon(queue, id, state, reason, redisNow()),
    keyLacked: (sealed, why) => keyWatch.met(sealed, why),
  });
  const worker = new QueueWorker({
    ...{ queue, redis: connection, clock, lock, listener: queueLog(logger, metrics, queue) },
    concurrency: settings.worker.concurrency,
    pace: paceOf(quota),
    run: async (id, queuedAt) => await shutdown.awaited(async () => await runner.run(id, queuedAt)),
    givenUp: async (id) => {
      await records.abandon(queue, id, "failed", GIVEN_UP, redisNow());
    },
  });
  started.defer(async () => await closeInTime(worker.close()));
  return { worker, closings };
}
