import { Queue } from "bullmq";
import { ErrorCode, SatyapanError } from "../base/error.ts";
import { jobOptions, type QueuedJob } from "./job-options.ts";
import { bullmqJobId, bullmqPrefix, BULLMQ_PREFIX, jobIdOf, type QueueName } from "./names.ts";
import type { RedisClient } from "../redis/connection.ts";

/** The adapter to BullMQ of all who take no jobs. A BullMQ job holds nothing but its id: everything else is in the record. */
export class JobQueues {
  readonly #redis: RedisClient;
  readonly #now: () => number;
  readonly #queues = new Map<QueueName, Queue>();

  /** `now`: Redis' time, by which workers take up what is delayed. */
  constructor(redis: RedisClient, now: () => number) {
    this.#redis = redis;
    this.#now = now;
  }

  /**
   * Adds jobs of one queue; those that are there already stay as they are. Rejects if one of them was not taken: `addBulk`
   * is no transaction (facts/bullmq §0.1), so the same call may simply be made again. They are not taken before `delayMs`.
   */
  async add(name: QueueName, jobs: readonly QueuedJob[], delayMs = 0): Promise<void> {
    const timed = { timestamp: this.#now(), ...(delayMs > 0 ? { delay: delayMs } : {}) };
    const entries = jobs.map((job) => ({ name: "call", data: {}, opts: { ...jobOptions(job), ...timed } }));
    const [first] = entries;
    const added =
      entries.length === 1 && first !== undefined
        ? [await this.#queue(name).add(first.name, first.data, first.opts)]
        : await this.#queue(name).addBulk(entries);
    const missed = added.filter((job, index) => job.id !== bullmqJobId(jobs[index]?.id ?? "")).length;
    if (missed > 0) {
      const message = `${missed} of ${jobs.length} jobs were not taken by the queue ${name}; submit them again`;
      throw new SatyapanError(ErrorCode.REDIS_UNREACHABLE, message);
    }
  }

  /** Delayed jobs go into line now; those that are not delayed any more stay as they are. */
  async promote(name: QueueName, ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const job = await this.#queue(name).getJob(bullmqJobId(id));
      if ((await job?.isDelayed()) !== true) continue;
      await job?.promote().catch((error: unknown) => {
        // Another took it in between.
        if (!String(error).includes("not in the delayed state")) throw error;
      });
    }
  }

  /** Undoes another tool's `pause()`. */
  async resume(name: QueueName): Promise<void> {
    await this.#queue(name).resume();
  }

  /** How many jobs it has, by BullMQ's states. */
  async counts(name: QueueName): Promise<Readonly<Record<string, number>>> {
    return await this.#queue(name).getJobCounts();
  }

  /** How many workers, of all processes, take its jobs; 1 where the server does not tell its clients (some clouds). */
  async workers(name: QueueName): Promise<number> {
    return await this.#queue(name).getWorkersCount();
  }

  /** Ids of the jobs that workers hold now: no more than they run at once. */
  async active(name: QueueName): Promise<Set<string>> {
    const jobIds = await this.#redis.lrange(`${bullmqPrefix(name)}active`, 0, -1);
    return new Set(jobIds.map(jobIdOf));
  }

  /** Those of these jobs that the queue does not have in any state, in one round trip. */
  async missing(name: QueueName, ids: readonly string[]): Promise<string[]> {
    const pipeline = this.#redis.pipeline();
    for (const id of ids) pipeline.exists(`${bullmqPrefix(name)}${bullmqJobId(id)}`);
    const replies = (await pipeline.exec()) ?? [];
    return ids.filter((_, index) => {
      const [error, exists] = replies[index] ?? [null, 0];
      if (error !== null) throw error;
      return exists === 0;
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#queues.values()].map(async (queue) => await queue.close()));
  }

  #queue(name: QueueName): Queue {
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = new Queue(name, {
        connection: this.#redis,
        prefix: BULLMQ_PREFIX,
        // All three are needed to fail in milliseconds and to recover (facts/bullmq §0.11); the connection has the third,
        // enableOfflineQueue: false.
        skipWaitingForReady: true,
        skipVersionCheck: true,
        skipMetasUpdate: true,
      });
      queue.on("error", () => {}); // the connection's own listener hears it
      this.#queues.set(name, queue);
    }
    return queue;
  }
}
