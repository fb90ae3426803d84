import type { QueueName } from "../src/queues/names.ts";
import type { QueueListener } from "../src/queues/queue-worker.ts";
import { ErrorCode } from "../src/base/error.ts";
import { refusalWord } from "../src/redis/refusal.ts";
import type { Logger } from "../src/telemetry/logger.ts";
import type { FaultKind, Metrics } from "../src/telemetry/metrics.ts";
import { RareLog } from "../src/telemetry/rare-log.ts";

/** What a queue's worker cannot tell anybody else, as lines of the log, and counted. */
export function queueLog(
  logger: Logger,
  metrics: Pick<Metrics, "unreadable" | "fault" | "redis">,
  queue: QueueName,
): QueueListener {
  const rare = new RareLog(logger);
  /** What Redis refused is Redis' trouble, all else a fault of ours. */
  const count = (err: unknown, kind: FaultKind): void => {
    const word = refusalWord(err);
    if (word === null) metrics.fault(kind);
    else metrics.redis.refused(word);
  };
  return {
    onConnectionError: (err) => logger.debug({ err, queue }, "queue connection error"),
    onWorkerError: (err) => {
      count(err, "queue");
      rare.log("warn", causeOf(err), { err, queue }, "worker error");
    },
    onStopped: (err) => {
      metrics.fault("stopped");
      logger.error({ err, queue }, "worker stopped");
    },
    onThrown: (err, job) => {
      count(err, "job");
      rare.log("error", causeOf(err), { err, queue, job }, "job threw");
    },
    onUnreadable: (job, fields) => {
      metrics.unreadable("queue");
      const facts = { queue, job, fields, code: ErrorCode.UNREADABLE };
      logger.error(facts, "job's entry in the queue cannot be read: mended, its record counts");
    },
    onForeign: () => {
      metrics.unreadable("queue");
      logger.error(
        { queue, code: ErrorCode.UNREADABLE },
        "entry of the queue that no producer of ours put there: dropped",
      );
    },
    onNotGivenUp: (err, job) => {
      count(err, "record");
      logger.error({ err, queue, job }, "record of a given-up job could not be closed");
    },
  };
}

function causeOf(error: Error): string {
  return refusalWord(error) ?? error.name;
}
