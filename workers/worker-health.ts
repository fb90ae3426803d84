import { setTimeout as sleep } from "node:timers/promises";
import { queueOf } from "../src/queues/names.ts";
import { unwrittenText } from "./closings.ts";
import type { Duties } from "./duties.ts";
import { HealthServer } from "./health-server.ts";
import type { KeyWatch } from "./key-watch.ts";
import { notReady } from "./readiness.ts";
import type { ServedCredential } from "./served-credential.ts";
import { CLOSE_MS, type Shutdown } from "./shutdown.ts";
import type { WorkerCore } from "./worker-core.ts";

export interface WorkerHealthDeps {
  readonly core: WorkerCore;
  readonly duties: Duties;
  readonly shutdown: Shutdown;
  readonly keyWatch: KeyWatch;
  /** Those that are served by now. */
  readonly served: readonly ServedCredential[];
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
  return await HealthServer.listen({
    port: settings.worker.metricsPort,
    host: settings.worker.metricsHost,
    notReady: async () => await notReady({ redis: probe, queues, checks, now }),
    metrics: async () => await metricsPage(deps),
    onError: (err) => logger.warn({ err }, "metrics server"),
  });
}

/** Measures what is only measured when it is asked for, and gives the page. */
async function metricsPage({ core, duties }: WorkerHealthDeps): Promise<string> {
  const { metrics, providers, clock, logger } = core;
  for (const [provider, offsetMs] of providers.clockOffsets()) metrics.clockMeasured(provider, offsetMs / 1_000);
  metrics.redisClockMeasured(clock.offsetMs / 1_000);
  // Its connection waits while Redis is away.
  const measured = await Promise.race([duties.audit.measure(), sleep(CLOSE_MS, null, { ref: false })]).catch(
    () => null,
  );
  if (measured !== null) metrics.auditMeasured(measured);
  await duties.monitor.measure().catch((err: unknown) => logger.debug({ err }, "queues not measured"));
  return await metrics.registry.metrics();
}
