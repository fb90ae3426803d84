import { setTimeout as sleep } from "node:timers/promises";
import { queueOf, queuePrefix } from "../src/queues/names.ts";
import { NO_ANSWER, readHealth } from "../src/redis/health.ts";
import type { LastBeat } from "../src/queues/last-beat.ts";
import { unwrittenText } from "./closings.ts";
import type { Duties } from "./duties.ts";
import { HealthServer } from "./health-server.ts";
import type { KeyWatch } from "./key-watch.ts";
import { type MetricsPage, once } from "./metrics-page.ts";
import { notReady } from "./readiness.ts";
import type { ServedCredential } from "./served-credential.ts";
import type { Shutdown } from "./shutdown.ts";
import type { WorkerCore } from "./worker-core.ts";

/** How long Redis may take for a scrape, in ms: the page is there without what it did not tell. */
const PATIENCE_MS = 1_000;

export interface WorkerHealthDeps {
  readonly core: WorkerCore;
  readonly duties: Duties;
  readonly shutdown: Shutdown;
  readonly keyWatch: KeyWatch;
  /** Those that are served by now. */
  readonly served: readonly ServedCredential[];
  readonly lastBeat: () => Promise<LastBeat | null>;
  readonly now: () => number;
}

/** Serves metrics and readiness. Throws SatyapanError as `HealthServer.listen`. */
export async function listenHealth(deps: WorkerHealthDeps): Promise<HealthServer> {
  const { core, shutdown, keyWatch, served, now } = deps;
  const { settings, logger, probe, providers } = core;
  const queues = providers.served.map(queueOf);
  const checks = [
    () => (shutdown.stopping.aborted ? "shutting down" : null),
    () => keyWatch.notReady(),
    () => (served.length === 0 || !served.every(({ worker }) => worker.taking) ? "not taking jobs" : null),
    () => unwrittenText(served.map(({ closings }) => closings)),
  ];
  const whyNot = async (): Promise<string | null> => await notReady({ redis: probe, queues, checks, now });
  return await HealthServer.listen({
    port: settings.worker.metricsPort,
    host: settings.worker.metricsHost,
    notReady: whyNot,
    metrics: async () => await metricsPage(deps, whyNot),
    onError: (err) => logger.rarely.warn({ err }, "metrics server"),
  });
}

/** Measures what is only measured when it is asked for, all at once, and gives the page within about a second. */
async function metricsPage(
  { core, duties, keyWatch, lastBeat }: WorkerHealthDeps,
  whyNot: () => Promise<string | null>,
): Promise<MetricsPage> {
  const { metrics, providers, clock, logger, probe, redisNow, tracing } = core;
  for (const [provider, offsetMs] of providers.clockOffsets()) metrics.clockMeasured(provider, offsetMs / 1_000);
  const [provider = "eko"] = providers.served;
  const [unmeasured, audit, health, why, beat] = await Promise.all([
    duties.monitor.measure(),
    // Its connection waits while Redis is away.
    inTime(duties.audit.measure(), null).catch(() => null),
    inTime(readHealth(probe, `${queuePrefix(queueOf(provider))}probe`), NO_ANSWER),
    whyNot(),
    inTime(lastBeat(), null).catch(() => null),
  ]);
  metrics.heartbeat.show(beat, redisNow());
  for (const err of unmeasured) logger.rarely.debug({ err }, "queues not measured");
  metrics.auditMeasured(audit);
  metrics.redis.show(health, clock.offsetMs / 1_000);
  const { duty, feeders } = duties;
  for (const [queue, { lagMs, rowsOff }] of feeders) {
    metrics.batches.lag(queue, lagMs === null ? null : lagMs / 1_000);
    metrics.batches.counted(queue, rowsOff);
  }
  metrics.worker.measured({
    ...{ isReady: why === null, lacksKeys: keyWatch.notReady() !== null },
    ...{ hasDuty: duty.held, keyLeftMs: keyWatch.leftMs() },
  });
  const text = await metrics.page();
  return { text, openMetrics: tracing === null ? null : once(() => metrics.asOpenMetrics(text)) };
}

async function inTime<T>(work: Promise<T>, late: T): Promise<T> {
  return await Promise.race([work, sleep(PATIENCE_MS, late, { ref: false })]);
}
