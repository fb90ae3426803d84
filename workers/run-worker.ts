import type { Settings } from "../src/config/settings.ts";
import { ErrorCode, SatyapanError } from "../src/base/error.ts";
import type { RedisClient } from "../src/redis/connection.ts";
import { redisFailure } from "../src/redis/failure.ts";
import { startDuties } from "./duties.ts";
import type { LastBeat } from "../src/queues/last-beat.ts";
import { FleetWatch } from "./fleet-watch.ts";
import type { Heartbeat } from "./heartbeat.ts";
import { KeyWatch } from "./key-watch.ts";
import { queueOf } from "../src/queues/names.ts";
import type { FailPoint } from "./open-attempt.ts";
import type { LockTimes } from "../src/queues/queue-worker.ts";
import { serveCredential, type ServedCredential } from "./served-credential.ts";
import { serveHeartbeat } from "./serve-heartbeat.ts";
import { closeInTime, Shutdown, type ShutdownDeps } from "./shutdown.ts";
import { openCore, type WorkerCoreDeps } from "./worker-core.ts";
import { listenHealth } from "./worker-health.ts";

export interface WorkerDeps extends WorkerCoreDeps {
  readonly random: () => number;
  /** Called at each point where a worker may die, for the chaos harness. */
  readonly atPoint?: (point: FailPoint) => void;
  /** How soon a lost worker's jobs are found, for tests. */
  readonly lock?: LockTimes;
}

export interface RunningWorker {
  readonly metricsPort: number;
  /**
   * Takes no more jobs, lets calls finish for `SHUTDOWN_GRACE`, then aborts them. Always resolves: `false` where it had to
   * leave something behind (which the next worker finds in the journal).
   */
  stop(): Promise<boolean>;
}

/** Throws SatyapanError `bad-settings` where no provider has settings: there would be nothing to do. */
export function assertServes({ eko, deepvue }: Settings): void {
  if (eko !== null || deepvue !== null) return;
  const names =
    "EKO_DEVELOPER_KEY, EKO_ACCESS_KEY, EKO_INITIATOR_ID and EKO_USER_CODE, or DEEPVUE_CLIENT_ID and DEEPVUE_CLIENT_SECRET";
  throw new SatyapanError(ErrorCode.BAD_SETTINGS, `a worker needs the settings of a provider: set ${names}`);
}

/** Starts a worker for every provider that has settings. Throws SatyapanError; then nothing is left running. */
export async function runWorker(deps: WorkerDeps): Promise<RunningWorker> {
  assertServes(deps.settings);
  const probe = deps.redis.jobs.connect("client");
  try {
    return await start(deps, probe);
  } catch (error) {
    throw await redisFailure(error, probe);
  }
}

async function start(
  { settings, logger, now, random, atPoint, lock, ...deps }: WorkerDeps,
  probe: RedisClient,
): Promise<RunningWorker> {
  await using started = new AsyncDisposableStack();
  const core = await openCore({ settings, logger, now, ...deps }, probe, started);
  const { providers, connection } = core;
  const shutdown = new Shutdown();
  const duties = await startDuties(core, random, started);
  const fleet = new FleetWatch({
    redis: probe,
    settings,
    providers: providers.served,
    id: core.ids.job(now()),
    logger,
  });
  started.defer(async () => await closeInTime(fleet.close()));
  await fleet.start();

  const served: ServedCredential[] = [];
  const onChange = (mayTake: boolean): void => {
    for (const { worker } of served) worker.setTaking(mayTake);
  };
  const keyWatch = new KeyWatch({ keys: core.keyChain, now, keyLifeMs: settings.keyLifeMs, logger, onChange });
  await keyWatch.start();
  started.defer(async () => await keyWatch.close());
  let heartbeat: Heartbeat | null = null;
  const lastBeat = async (): Promise<LastBeat | null> => (await heartbeat?.last()) ?? null;
  const health = await listenHealth({ core, duties, shutdown, keyWatch, served, lastBeat, now });
  started.defer(async () => await health.close());
  const serve = async (credential: ServedCredential): Promise<void> => {
    served.push(credential);
    if (!keyWatch.mayTake()) credential.worker.setTaking(false);
    await credential.worker.start();
  };
  const options = { core, shutdown, keyWatch, random, atPoint, lock };
  for (const provider of providers.served) {
    await serve(await serveCredential(queueOf(provider), settings.quotas[provider], options, started));
  }
  const { heartbeatBaseUrl } = settings.worker;
  if (heartbeatBaseUrl !== null) {
    const own = await serveHeartbeat(heartbeatBaseUrl, options, { duty: duties.duty, now }, started);
    heartbeat = own.heartbeat;
    await serve(own.credential);
  }
  const opened = started.move();
  const ending: ShutdownDeps = {
    workers: served.map(({ worker }) => worker),
    ...{ connection, providers, graceMs: settings.worker.shutdownGraceMs },
    close: async () => await opened.disposeAsync(),
  };
  return { metricsPort: health.port, stop: async () => await shutdown.stop(ending) };
}
