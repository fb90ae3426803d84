import { ErrorCode, SatyapanError } from "../src/base/error.ts";
import { AuditTrail } from "../src/privacy/audit/trail.ts";
import { Needles } from "../src/privacy/scan/needles.ts";
import { PrivacySampler } from "../src/privacy/scan/sampler.ts";
import { Scanner } from "../src/privacy/scan/scanner.ts";
import { secretsOf } from "../src/privacy/scan/secret-needles.ts";
import { JobQueues } from "../src/queues/job-queues.ts";
import { providerOf, type QueueName, QUEUES } from "../src/queues/names.ts";
import { TicketSizes } from "../src/limits/ticket-size.ts";
import { TicketPacker } from "../src/records/ticket-packer.ts";
import { PARENT_KINDS } from "../src/records/parent.ts";
import { RecordStore } from "../src/records/record-store.ts";
import { type Duty, Lease, WORKERS_LEASE_KEY } from "../src/redis/lease.ts";
import { LostJobs } from "./lost-jobs.ts";
import { LostTickets } from "./lost-tickets.ts";
import { Feeder } from "./feeder.ts";
import { GateLog } from "./gate-log.ts";
import { QueueMonitor } from "./queue-monitor.ts";
import { Reaper } from "./reaper.ts";
import { auditComplaints } from "./audit-complaints.ts";
import { OnboardingDuty } from "./onboarding-duty.ts";
import { ParentNewsLoop } from "./parent-news.ts";
import { closeInTime } from "./shutdown.ts";
import type { WorkerCore } from "./worker-core.ts";

/** What one worker does for all: each has these parts, and the one that holds the lease works. */
export interface Duties {
  readonly audit: AuditTrail;
  readonly monitor: QueueMonitor;
  /** Whether this worker does what one does for all. */
  readonly duty: Duty;
  readonly feeders: ReadonlyMap<QueueName, Feeder>;
}

/** Starts them onto `started`. Throws SatyapanError where the audit log's files are broken. */
export async function startDuties(
  core: WorkerCore,
  random: () => number,
  started: AsyncDisposableStack,
): Promise<Duties> {
  const { settings, logger, metrics, providers, connection, probe, redisNow, monotonic } = core;
  const duty = await Lease.open({
    ...{ redis: probe, key: WORKERS_LEASE_KEY, random, monotonic },
    onError: (err) => logger.rarely.warn({ err }, "lease of what one worker does for all"),
    onChange: (held) => logger.rarely.info({ held }, "what one worker does for all"),
  });
  started.defer(async () => await closeInTime(duty.close()));
  const audit = await AuditTrail.start({
    redis: connection,
    duty,
    subjectKey: settings.subjectKey,
    ...settings.audit,
    onError: (err) => {
      if (err instanceof SatyapanError && err.code === ErrorCode.AUDIT_BROKEN) metrics.auditBroken();
      logger.rarely.error({ err }, "audit log");
    },
    onMended: (what) => logger.rarely.warn({ what }, "audit files mended"),
    onUnreadable: auditComplaints(logger, metrics),
  });
  // Its close waits for ever while Redis is away.
  started.defer(async () => await closeInTime(audit.close()));
  const monitor = new QueueMonitor({
    ...{ redis: probe, duty, providers: providers.served, metrics, now: redisNow, retention: settings.retention },
    log: new GateLog(logger),
  });
  started.defer(async () => await monitor.close());
  const sampler = new PrivacySampler({
    redis: probe,
    duty,
    scanner: new Scanner(new Needles(secretsOf(settings))),
    metrics: async () => await metrics.registry.metrics(),
    onFinding: (finding) => logger.rarely.error({ ...finding }, "something personal or secret is in clear"),
    onMeasured: (place, findings) => metrics.privacyMeasured(place, findings),
  });
  const sampling = sampler.run();
  started.defer(async () => {
    sampler.stop();
    await sampling;
  });
  // In all queues: the worker that reaps may serve another provider than the job's.
  const queues = new JobQueues(probe, redisNow);
  started.defer(async () => await closeInTime(queues.close()));
  const tickets = new LostTickets({ redis: probe, queues, logger, now: redisNow });
  const jobs = new LostJobs({ redis: probe, queues, logger, now: redisNow, monotonic: () => performance.now() });
  const reaping = {
    records: new RecordStore(probe, settings.retention, core.shortValue),
    tickets,
    jobs,
    queues: QUEUES,
  };
  const reaper = new Reaper({ ...reaping, duty, metrics, tracing: core.tracing, logger, now: redisNow });
  started.defer(async () => await reaper.close());
  const sizes = new TicketSizes(probe, (queue) => settings.quotas[providerOf(queue)], redisNow);
  const packer = new TicketPacker({ queues, sizes, unique: () => core.ids.job(redisNow()) });
  const feeding = {
    redis: probe,
    queues,
    packer,
    duty,
    dataKeys: core.keyChain.dataKeys,
    metrics,
    logger,
    now: redisNow,
  };
  const feeders = new Map<QueueName, Feeder>();
  for (const queue of QUEUES) {
    const feeder = new Feeder({ ...feeding, queue, subjectKey: settings.subjectKey, retention: settings.retention });
    feeders.set(queue, feeder);
    started.defer(async () => await closeInTime(feeder.close()));
  }
  const onboarding = new OnboardingDuty(core, duty);
  started.defer(async () => await closeInTime(onboarding.close()));
  const parents = new ParentNewsLoop({
    ...{ queues: QUEUES, duty, metrics, logger },
    handlers: {
      [PARENT_KINDS.onboarding]: async (queue, news) => await onboarding.stepNews(queue, news),
      [PARENT_KINDS.challenge]: async (queue, news) => await onboarding.earlyNews(queue, news),
      [PARENT_KINDS.batch]: async (queue, news) => await feeders.get(queue)?.told(news),
    },
    connect: () => core.connect("client"),
  });
  started.defer(async () => await closeInTime(parents.close()));
  return { audit, monitor, duty, feeders };
}
