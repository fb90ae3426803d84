import { ErrorCode } from "../src/base/error.ts";
import { GateMemory, type GateLoss } from "../src/limits/gate-memory.ts";
import { formatQuota } from "../src/limits/parse-quota.ts";
import type { Quota } from "../src/limits/quota.ts";
import type { RedisClient } from "../src/redis/connection.ts";
import { providerOf, type QueueName } from "../src/queues/names.ts";
import { clockMatters, type RedisClock } from "../src/redis/clock.ts";
import type { Logger } from "../src/telemetry/logger.ts";
import type { Metrics } from "../src/telemetry/metrics.ts";

export interface RedisMemoryDeps {
  readonly redis: RedisClient;
  readonly clock: RedisClock;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** A queue's gate as this worker remembers it; what Redis lost is logged and counted. */
export async function rememberGate(deps: RedisMemoryDeps, queue: QueueName, quota: Quota): Promise<GateMemory> {
  const { redis, clock, metrics, logger } = deps;
  metrics.redis.dataLost(queue, 0);
  const memory = new GateMemory({
    ...{ redis, queue, quota, clock },
    onLost: (loss) => {
      metrics.redis.dataLost(queue, 1);
      logLoss(logger, queue, quota, loss);
    },
    onOtherServer: () =>
      logger.rarely.warn({ queue }, "another Redis server answers: its quota's permits are confirmed first"),
    onBroken: (fields) => {
      if (fields === null) logger.rarely.info({ queue }, "what the gate knows can be read again");
      else {
        const facts = { provider: providerOf(queue), queue, fields: [fields], code: ErrorCode.UNREADABLE };
        logger.rarely.error(facts, "what the gate knows cannot be read: nobody calls this provider");
      }
    },
    onError: (err) => logger.rarely.debug({ err, queue }, "gate not looked at"),
  });
  await memory.start();
  return memory;
}

function logLoss(logger: Logger, queue: QueueName, quota: Quota, { broughtBack, quotaByHand }: GateLoss): void {
  const facts = { queue, quota: formatQuota(quota), brought_back_here: broughtBack };
  logger.rarely.error(
    facts,
    "Redis lost its data: jobs that were in it are gone; quota and settings are back, windows up to a minute count as full",
  );
  if (quotaByHand === null) return;
  const lost = { queue, lost: formatQuota(quotaByHand), in_force: formatQuota(quota) };
  logger.rarely.error(
    lost,
    "the quota that was set by hand was lost with Redis' data: set it again with satyapan quota set",
  );
}

/** Says once when the clocks begin to differ, and once when it is over. */
export class ClockWatch {
  readonly #clock: RedisClock;
  readonly #logger: Logger;
  #differs = false;

  constructor(clock: RedisClock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  look(): void {
    const { offsetMs } = this.#clock;
    const differs = clockMatters(offsetMs);
    if (differs === this.#differs) return;
    this.#differs = differs;
    const facts = { redis_clock_offset_ms: Math.round(offsetMs) };
    if (differs) {
      this.#logger.rarely.warn(facts, "this machine's clock differs from Redis': set it (NTP); all times are Redis'");
    } else {
      this.#logger.rarely.info(facts, "this machine's clock agrees with Redis' again");
    }
  }
}
