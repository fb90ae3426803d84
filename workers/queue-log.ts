import type { QueueName } from "../src/queues/names.ts";
import type { QueueListener } from "../src/queues/queue-worker.ts";
import { ErrorCode } from "../src/base/error.ts";
import { refusalWord } from "../src/redis/refusal.ts";
import type { Logger } from "../src/telemetry/logger.ts";
import type { FaultKind, Metrics } from "../src/telemetry/metrics.ts";

/** What a queue's worker cannot tell anybody else, as lines of the log, and counted. */
export function queueLog(
  logger: Logger,
  metrics: Pick<Metrics, "unreadable" | "fault" | "redis">,
  queue: QueueName,
): QueueListener {
  /** What Redis refused is Redis' trouble, all else a fault of ours. */
  const count = (err: unknown, kind: FaultKind): void => {
    const word = refusalWord(err);
    if (word === null) metrics.fault(kind);
    else metrics.redis.refused(word);
  };
  return {
    onConnectionError: (err) => logger.rarely.debug({ err, queue }, "queue connection error"),
    onWorkerError: (err) => {
      count(err, "queue");
      logger.rarely.warn({ err, queue }, "worker error");
    },
    onStopped: (err) => {
      metrics.fault("stopped");
      logger.error({ err, queue }, "queue's worker stopped by itself");
    },
    onThrown: (err, job) => {
      count(err, "job");
      logger.rarely.error({ err, queue, job }, "job threw");
    },
    onUnreadable: (job, fields) => {
      metrics.unreadable("queue");
      const facts = { queue, job, fields, code: ErrorCode.UNREADABLE };
      logger.rarely.error(facts, "job's entry in the queue cannot be read: mended, its record counts");
    },
    onForeign: () => {
      metrics.unreadable("queue");
      logger.rarely.error(
        { queue, code: ErrorCode.UNREADABLE },
        "entry of the queue that no producer of ours put there: dropped",
      );
    },
    onNotGivenUp: (err, job) => {
      count(err, "record");
      logger.rarely.error({ err, queue, job }, "record of a given-up job could not be closed");
    },
  };
}
