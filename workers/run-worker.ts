import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { Registry } from "prom-client";
import type { Settings } from "../src/config/settings.ts";
import { ErrorCode, SatyapanError } from "../src/base/error.ts";
import { GateControl } from "../src/limits/control.ts";
import { paceOf } from "../src/limits/pace.ts";
import { gatePolicy } from "./gate-policy.ts";
import { AuditTrail } from "../src/privacy/audit/trail.ts";
import { assertWraps, openKeyChain } from "../src/privacy/keys/key-chain.ts";
import type { ProviderName } from "../src/base/provider-name.ts";
import { isDrift } from "../src/providers/clock-offset.ts";
import { Needles } from "../src/privacy/scan/needles.ts";
import { PrivacySampler } from "../src/privacy/scan/sampler.ts";
import { Scanner } from "../src/privacy/scan/scanner.ts";
import { secretsOf } from "../src/privacy/scan/secret-needles.ts";
import { Providers } from "./calls.ts";
import { assertSuitable, checkRedis, ready, type RedisClient, redisWarnings } from "../src/redis/connection.ts";
import { Lease, WORKERS_LEASE_KEY } from "../src/redis/lease.ts";
import { queuePrefix, QUEUES, queueOf } from "../src/queues/names.ts";
import { type LockTimes, QueueWorker } from "../src/queues/queue-worker.ts";
import { RedisClock } from "../src/redis/clock.ts";
import { redisFailure } from "../src/redis/failure.ts";
import { refusalWord } from "../src/redis/refusal.ts";
import type { RedisAccess } from "../src/redis/access.ts";
import { sharesMessages } from "../src/redis/shares-messages.ts";
import { createIds } from "../src/records/ids.ts";
import { Journal } from "../src/records/journal.ts";
import { RecordStore } from "../src/records/record-store.ts";
import type { Logger } from "../src/telemetry/logger.ts";
import { Metrics } from "../src/telemetry/metrics.ts";
import { RareLog } from "../src/telemetry/rare-log.ts";
import { Closings, unwrittenText } from "./closings.ts";
import { FleetWatch } from "./fleet-watch.ts";
import { HealthServer } from "./health-server.ts";
import type { FailPoint } from "./open-attempt.ts";
import { JobRunner } from "./job-runner.ts";
import { KeyWatch } from "./key-watch.ts";
import { queueLog } from "./queue-log.ts";
import { QueueMonitor } from "./queue-monitor.ts";
import { notReady } from "./readiness.ts";
import { Reaper } from "./reaper.ts";
import { ClockWatch, rememberGate } from "./redis-memory.ts";

// For what closes when nothing runs any more; Redis may be away and never answer.
const CLOSE_MS = 2_000;
const CLOCK_LOOK_MS = 1_000;

export interface WorkerDeps {
  readonly settings: Settings;
  readonly redis: RedisAccess;
  readonly logger: Logger;
  readonly now: () => number;
  readonly random: () => number;
  /** Where the data keys are; default: `redis`. */
  readonly keysRedis?: RedisAccess;
  /** For the chaos harness: called at each point where a worker may die. */
  readonly atPoint?: (point: FailPoint) => void;
  /** For tests: how soon a lost worker's jobs are found. */
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
  const probe = deps.redis.connect("client");
  try {
    return await start(deps, probe);
  } catch (error) {
    throw await redisFailure(error, probe);
  }
}

async function start(
  { settings, redis, keysRedis, logger, now, random, atPoint, lock }: WorkerDeps,
  probe: RedisClient,
): Promise<RunningWorker> {
  const providers = new Providers(settings, now, (provider, offsetMs) => logDrift(logger, provider, offsetMs));
  await using started = new AsyncDisposableStack();
  started.defer(async () => await providers.destroy());
  await ready(probe);
  const facts = await checkRedis(probe);
  assertSuitable(facts);
  for (const warning of redisWarnings(facts)) logger.warn({ redis: redis.describe(), warning }, "redis warning");

  const metrics = new Metrics(new Registry());
  const connection = redis.connect("worker");
  const clock = new RedisClock({ now });
  for (const provider of providers.served) await clock.learn(probe, queuePrefix(queueOf(provider)));
  const redisNow = (): number => clock.now();
  const clockWatch = new ClockWatch(clock, logger);
  const watching = setInterval(() => clockWatch.look(), CLOCK_LOOK_MS).unref();
  started.defer(() => clearInterval(watching));
  clockWatch.look();
  const records = new RecordStore(connection, settings.retention);
  const control = new GateControl(probe);
  const ids = createIds();
  const rare = new RareLog(logger);
  const stopping = new AbortController();
  const aborting = new AbortController();
  const givenUp = new AbortController();
  if (keysRedis !== undefined) assertSuitable(await checkRedis(await readyClient(keysRedis)));
  const keysConnection = keysRedis === undefined ? connection : keysRedis.connect("worker");
  const keyChain = openKeyChain(keysConnection, settings, redisNow);
  await assertWraps(keyChain);
  const { dataKeys } = keyChain;
  await dataKeys.listen(
    (await sharesMessages(keysConnection)) ? keysConnection : (keysRedis ?? redis).connect("worker"),
  );
  const duty = await Lease.open({
    ...{ redis: probe, key: WORKERS_LEASE_KEY, random },
    onError: (err) => rare.log("warn", refusalWord(err) ?? "fault", { err }, "lease of what one worker does for all"),
    onChange: (held) => logger.info({ held }, "what one worker does for all"),
  });
  started.defer(async () => await Promise.race([duty.close(), sleep(CLOSE_MS, undefined, { ref: false })]));
  const audit = await AuditTrail.start({
    redis: connection,
    duty,
    subjectKey: settings.subjectKey,
    ...settings.audit,
    onError: (err) => rare.log("error", refusalWord(err) ?? "fault", { err }, "audit log"),
    onMended: (what) => logger.warn({ what }, "audit files mended"),
  });
  // It waits for ever while Redis is away.
  started.defer(async () => await Promise.race([audit.close(), sleep(CLOSE_MS, undefined, { ref: false })]));
  const monitor = new QueueMonitor(probe, duty, providers.served, metrics, redisNow);
  started.defer(async () => await monitor.close());
  const sampler = new PrivacySampler({
    redis: probe,
    duty,
    scanner: new Scanner(new Needles(secretsOf(settings))),
    metrics: async () => await metrics.registry.metrics(),
    onFinding: (finding) => logger.error({ ...finding }, "something personal or secret is in clear"),
    onMeasured: (place, findings) => metrics.privacyMeasured(place, findings),
  });
  const sampling = sampler.run();
  started.defer(async () => {
    sampler.stop();
    await sampling;
  });
  const queues = providers.served.map(queueOf);
  // Of all queues: the one that reaps may serve another provider than the job's.
  const reaping = { records: new RecordStore(probe, settings.retention), queues: QUEUES };
  const reaper = new Reaper({ ...reaping, duty, metrics, logger, now: redisNow });
  started.defer(async () => await reaper.close());

  const fleet = new FleetWatch({ redis: probe, settings, providers: providers.served, id: ids.job(now()), logger });
  started.defer(async () => await Promise.race([fleet.close(), sleep(CLOSE_MS, undefined, { ref: false })]));
  await fleet.start();

  const workers: QueueWorker[] = [];
  const onChange = (mayTake: boolean): void => {
    for (const worker of workers) worker.setTaking(mayTake);
  };
  const keyWatch = new KeyWatch({ keys: keyChain, now, logger, onChange });
  await keyWatch.start();
  started.defer(async () => await keyWatch.close());
  const allClosings: Closings[] = [];
  const checks = [
    () => (stopping.signal.aborted ? "shutting down" : null),
    () => keyWatch.notReady(),
    () => (workers.length === 0 || !workers.every((worker) => worker.taking) ? "not taking jobs" : null),
    () => unwrittenText(allClosings),
  ];
  const health = await HealthServer.listen({
    port: settings.worker.metricsPort,
    notReady: async () => await notReady({ redis: probe, queues, checks, now }),
    host: settings.worker.metricsHost,
    onError: (err) => logger.warn({ err }, "metrics server"),
    metrics: async () => {
      for (const [provider, offsetMs] of providers.clockOffsets()) metrics.clockMeasured(provider, offsetMs / 1_000);
      metrics.redisClockMeasured(clock.offsetMs / 1_000);
      // Its connection waits while Redis is away.
      const measured = await Promise.race([audit.measure(), sleep(CLOSE_MS, null, { ref: false })]).catch(() => null);
      if (measured !== null) metrics.auditMeasured(measured);
      await monitor.measure().catch((err: unknown) => logger.debug({ err }, "queues not measured"));
      return await metrics.registry.metrics();
    },
  });
  started.defer(async () => await health.close());

  let running = 0;
  for (const provider of providers.served) {
    const queue = queueOf(provider);
    const ownQuota = settings.quotas[provider];
    const memory = await rememberGate({ redis: connection, clock, metrics, logger }, queue, ownQuota);
    started.defer(async () => await memory.close());
    const quota = await control.configure(queue, ownQuota);
    const journal = new Journal({
      redis: connection,
      queue,
      retentionMs: settings.retention.recordMs,
      policy: gatePolicy(settings),
      memory,
    });
    const closings = new Closings({ journal, metrics, logger, givenUp: givenUp.signal });
    allClosings.push(closings);
    const runner = new JobRunner({
      ...{ journal, closings, settings, dataKeys, providers, metrics, logger, ids, now: redisNow, random, atPoint },
      ...{ stopping: stopping.signal, signal: aborting.signal },
      park: async (id, state, reason) => await records.abandon(queue, id, state, reason, redisNow()),
      keyLacked: (sealed, why) => keyWatch.met(sealed, why),
    });
    const worker = new QueueWorker({
      queue,
      redis: connection,
      clock,
      concurrency: settings.worker.concurrency,
      pace: paceOf(quota),
      listener: queueLog(logger, metrics, queue),
      lock,
      run: async (id, queuedAt) => {
        running++;
        try {
          return await runner.run(id, queuedAt);
        } finally {
          running--;
        }
      },
      givenUp: async (id) => {
        await records.abandon(
          queue,
          id,
          "failed",
          "given up after repeated faults of our own; see the log",
          redisNow(),
        );
      },
    });
    if (!keyWatch.mayTake()) worker.setTaking(false);
    workers.push(worker);
    started.defer(async () => await Promise.race([worker.close(), sleep(CLOSE_MS, undefined, { ref: false })]));
    await worker.start();
  }

  const opened = started.move();

  const stop = async (): Promise<boolean> => {
    stopping.abort();
    const isAway = connection.status !== "ready";
    const closed = Promise.all(workers.map(async (worker) => await worker.close(isAway))).then(() => !isAway);
    // BullMQ's close hangs while Redis is away (facts/bullmq §0.12); with nothing running there is nothing to wait for.
    const hopeless = new AbortController();
    const gone = untilHopeless(() => running === 0 && connection.status !== "ready", hopeless.signal);
    const late = sleep(settings.worker.shutdownGraceMs, false, { ref: false });
    let clean = await Promise.race([closed, gone, late]);
    if (!clean) {
      aborting.abort();
      providers.abort();
      clean = await Promise.race([closed, sleep(CLOSE_MS, false, { ref: false })]);
      // What is still unwritten says so, job by job.
      givenUp.abort();
      await setImmediate();
    }
    hopeless.abort();
    await Promise.race([opened.disposeAsync(), sleep(2 * CLOSE_MS, undefined, { ref: false })]);
    return clean;
  };
  return { metricsPort: health.port, stop };
}

async function readyClient(access: RedisAccess): Promise<RedisClient> {
  const client = access.connect("client");
  await ready(client);
  return client;
}

/** Once when it begins, and once when it is over. */
function logDrift(logger: Logger, provider: ProviderName, offsetMs: number): void {
  const facts = { provider, clock_offset_ms: offsetMs };
  if (isDrift(offsetMs))
    logger.warn(facts, "our clock differs from the provider's: set it (NTP); signatures follow the provider's");
  else logger.info(facts, "our clock agrees with the provider's again");
}

/** Resolves `false` once `isHopeless` holds for half a second; never if aborted before. */
async function untilHopeless(isHopeless: () => boolean, signal: AbortSignal): Promise<false> {
  for (let times = 0; times < 5; times = isHopeless() ? times + 1 : 0) {
    if (signal.aborted) return await new Promise<never>(() => {});
    await sleep(100, undefined, { ref: false });
  }
  return false;
}
