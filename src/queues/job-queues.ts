import { Queue } from "bullmq";
import { ErrorCode, SatyapanError } from "../base/error.ts";
import { type JobOptions, jobOptions, type QueuedJob } from "./job-options.ts";
import { bullmqJobId, bullmqPrefix, BULLMQ_PREFIX, isOurJob, jobIdOf, type QueueName } from "./names.ts";
import { jobCounts } from "./job-counts.ts";
import type { Ticket } from "./ticket.ts";
import { TicketLists } from "./ticket-lists.ts";
import type { RedisClient } from "../redis/connection.ts";
import { repliesOf } from "../redis/replies.ts";

/** A ticket with the ids of the jobs that it carries. */
export interface FilledTicket {
  readonly ticket: Ticket;
  readonly ids: readonly string[];
}

/**
 * The adapter to BullMQ of all who take no jobs. A BullMQ job holds nothing but its id, which names one job or a ticket:
 * everything else is in the records.
 */
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
   * Adds jobs and tickets to one queue, in order; those that are there already stay as they are. Rejects if one of them was not
   * taken: `addBulk` is no transaction (facts/bullmq §0.1), so the same call may simply be made again. They are not taken
   * before `delayMs`. What tickets carry is written down in the same go.
   */
  async add(name: QueueName, entries: readonly (QueuedJob | FilledTicket)[], delayMs = 0): Promise<void> {
    if (entries.length === 0) return;
    const tickets = entries.filter((entry) => "ticket" in entry);
    const lists = new TicketLists(this.#redis, name);
    const works = [
      lists.put(
        tickets.map(({ ticket, ids }) => ({ name: ticket.name, ids })),
        this.#now(),
      ),
      this.#addAll(
        name,
        entries.map((entry) =>
          "ticket" in entry ? jobOptions(entry.ticket.name, entry.ticket) : jobOptions(bullmqJobId(entry.id), entry),
        ),
        delayMs,
      ),
    ];
    await Promise.allSettled(works);
    await Promise.all(works);
  }

  async #addAll(name: QueueName, all: readonly JobOptions[], delayMs: number): Promise<void> {
    const timed = { timestamp: this.#now(), ...(delayMs > 0 ? { delay: delayMs } : {}) };
    const entries = all.map((opts) => ({ name: "call", data: {}, opts: { ...opts, ...timed } }));
    const [first] = entries;
    const added =
      entries.length === 1 && first !== undefined
        ? [await this.#queue(name).add(first.name, first.data, first.opts)]
        : await this.#queue(name).addBulk(entries);
    const missed = added.filter((job, index) => job.id !== all[index]?.jobId).length;
    if (missed > 0) {
      const message = `${missed} of ${all.length} entries were not taken by the queue ${name}; submit their jobs again`;
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

  /** How many jobs it has, by BullMQ's states; of a long line about. */
  async counts(name: QueueName): Promise<Readonly<Record<string, number>>> {
    return await jobCounts(this.#redis, name, await this.#queue(name).getJobCounts());
  }

  /** How many workers, of all processes, take its jobs; 1 where the server does not tell its clients (some clouds). */
  async workers(name: QueueName): Promise<number> {
    return await this.#queue(name).getWorkersCount();
  }

  /** Ids of the jobs that workers hold now under their own names, not in tickets: no more than they run at once. */
  async active(name: QueueName): Promise<Set<string>> {
    const jobIds = await this.#redis.lrange(`${bullmqPrefix(name)}active`, 0, -1);
    return new Set(jobIds.filter(isOurJob).map(jobIdOf));
  }

  /** Those of these jobs that have no entry of their own in the queue, in any state, in one round trip. */
  async missing(name: QueueName, ids: readonly string[]): Promise<string[]> {
    const gone = new Set(await this.entriesGone(name, ids.map(bullmqJobId)));
    return ids.filter((id) => gone.has(bullmqJobId(id)));
  }

  /** Those of BullMQ's ids, of jobs or tickets, that the queue does not have in any state, in one round trip. */
  async entriesGone(name: QueueName, entries: readonly string[]): Promise<string[]> {
    const pipeline = this.#redis.pipeline();
    for (const entry of entries) pipeline.exists(`${bullmqPrefix(name)}${entry}`);
    const replies = await repliesOf(pipeline);
    return entries.filter((_, index) => replies[index] === 0);
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
