import { steadyClock } from "../../src/base/sleepless-clock.ts";
import { Writable } from "node:stream";
import { Registry } from "prom-client";
import { GateControl } from "../../src/limits/control.ts";
import { gatePolicy } from "../../workers/gate-policy.ts";
import { openKeyChain } from "../../src/privacy/keys/key-chain.ts";
import { Providers } from "../../workers/calls.ts";
import type { QueueName } from "../../src/queues/names.ts";
import { createIds } from "../../src/records/ids.ts";
import { Journal } from "../../src/records/journal.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { Closings } from "../../workers/closings.ts";
import { JobRunner } from "../../workers/job-runner.ts";
import type { WorkerBundle } from "./worker.ts";

export interface RunnerOptions {
  readonly journal?: typeof Journal;
  readonly signal?: AbortSignal;
  readonly queue?: QueueName;
}

/** A worker's inside, without BullMQ around it; a process of its own, as the journal sees it. */
export async function newRunner(
  bundle: WorkerBundle,
  stack: AsyncDisposableStack,
  { journal: of = Journal, signal = new AbortController().signal, queue = "{eko-0}" }: RunnerOptions = {},
): Promise<JobRunner> {
  const { settings } = bundle;
  const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
  const providers = new Providers(settings, Date.now);
  stack.defer(async () => await providers.destroy());
  const redis = bundle.redis.client();
  // A gate without a quota has forgotten it, and lets nobody through.
  await new GateControl(redis).configure(queue, settings.quotas.eko);
  const journal = new of({
    ...{ redis, queue, retentionMs: settings.retention.recordMs, policy: gatePolicy(settings) },
  });
  const metrics = new Metrics(new Registry());
  const logger = createLogger("debug", sink);
  const never = new AbortController().signal;
  return new JobRunner({
    queueAgain: async () => await Promise.resolve(),
    keyLacked: () => {},
    park: async () => await Promise.resolve(),
    ...{ closings: new Closings({ journal, metrics, logger, givenUp: never }), stopping: never },
    ...{ journal, settings, providers, signal, traces: null, ids: createIds(), now: Date.now, random: Math.random },
    monotonic: steadyClock,
    ...{ dataKeys: openKeyChain(redis, settings, Date.now).dataKeys, metrics, logger },
  });
}
