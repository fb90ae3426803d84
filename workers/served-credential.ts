import { paceOf } from "../src/limits/pace.ts";
import type { Quota } from "../src/limits/quota.ts";
import type { QueueName } from "../src/queues/names.ts";
import { type LockTimes, QueueWorker } from "../src/queues/queue-worker.ts";
import { Journal } from "../src/records/journal.ts";
import { JobQueues } from "../src/queues/job-queues.ts";
import { TicketLists } from "../src/queues/ticket-lists.ts";
import { CallSlots } from "./call-slots.ts";
import { Closings } from "./closings.ts";
import { EarlyStarts } from "./early-starts.ts";
import { gatePolicy } from "./gate-policy.ts";
import { JobRunner } from "./job-runner.ts";
import type { KeyWatch } from "./key-watch.ts";
import type { FailPoint } from "./open-attempt.ts";
import { queueLog } from "./queue-log.ts";
import { rememberGate } from "./redis-memory.ts";
import { closeInTime, type Shutdown } from "./shutdown.ts";
import { TicketRunner } from "./ticket-runner.ts";
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
  queue: QueueName,
  ownQuota: Quota,
  { core, shutdown, keyWatch, random, atPoint, lock }: ServeOptions,
  started: AsyncDisposableStack,
): Promise<ServedCredential> {
  const {
    settings,
    logger,
    metrics,
    providers,
    connection,
    clock,
    redisNow,
    records,
    ids,
    keyChain,
    tracing,
    monotonic,
  } = core;
  const memory = await rememberGate({ redis: connection, clock, metrics, logger }, queue, ownQuota);
  started.defer(async () => await memory.close());
  const quota = await core.control.configure(queue, ownQuota);
  const policy = gatePolicy(settings);
  const journal = new Journal({
    redis: connection,
    queue,
    retentionMs: settings.retention.recordMs,
    archives: settings.retention.archives === true,
    policy,
    memory,
    shortValue: core.shortValue,
    monotonic,
  });
  const closings = new Closings({ journal, metrics, logger, givenUp: shutdown.givenUp });
  const queues = new JobQueues(connection, redisNow);
  started.defer(async () => await closeInTime(queues.close()));
  const runner = new JobRunner({
    ...{ journal, closings, settings, providers, metrics, logger, ids, now: redisNow, monotonic, random, atPoint },
    traces: tracing?.of(queue) ?? null,
    ...{ dataKeys: keyChain.dataKeys, stopping: shutdown.stopping, signal: shutdown.aborting },
    park: async (id, state, reason, unmade) => await records.abandon(queue, id, state, reason, redisNow(), unmade),
    keyLacked: (sealed, why) => keyWatch.met(sealed, why),
    queueAgain: async (job) => await queues.add(queue, [job]),
  });
  const { concurrency } = settings.worker;
  const slots = new CallSlots(concurrency, policy.floorEvery);
  const early = new EarlyStarts({
    journal,
    closings,
    slots,
    ids,
    now: redisNow,
    stopping: shutdown.stopping,
    leave: async (start) => await runner.leave(start),
    leaveOther: async (other, takenAt) => await runner.leaveOther(other, takenAt),
  });
  const lists = new TicketLists(connection, queue);
  const listener = queueLog(logger, metrics, queue);
  const tickets = new TicketRunner({
    ...{ queue, lists, queues, runner, slots, now: redisNow, stopping: shutdown.stopping },
    onUnreadable: ({ name }) => listener.onUnreadable(name, ["list"]),
    onThrown: (err, id) => listener.onThrown(err, id),
  });
  const givenUp = async (id: string): Promise<void> => {
    await records.abandon(queue, id, "failed", GIVEN_UP, redisNow());
  };
  const worker = new QueueWorker({
    ...{ queue, redis: connection, clock, lock, listener, concurrency, pace: paceOf(quota), givenUp },
    fetching: async (token) => await early.begin(token),
    run: async (id, lane, queuedAt, token) => {
      const begun = early.take(token);
      return await shutdown.awaited(
        async () => await slots.use(lane, async () => await runner.run(id, queuedAt, null, begun)),
      );
    },
    runTicket: async (ticket, queuedAt, left) =>
      await shutdown.awaited(async () => await tickets.run(ticket, queuedAt, left)),
    givenUpTicket: async ({ name }) => {
      const list = await lists.read(name);
      for (const id of list?.ids ?? []) await givenUp(id);
      await (list?.isWhole === true ? lists.end(name) : lists.giveUp(name));
    },
  });
  started.defer(async () => await closeInTime(worker.close()));
  return { worker, closings };
}
