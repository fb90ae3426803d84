import { OPERATIONS } from "../src/operations/catalogue.ts";
import { OPEN_STATES } from "../src/outcomes/state.ts";
import type { QueuedJob } from "../src/queues/job-options.ts";
import type { JobQueues } from "../src/queues/job-queues.ts";
import { type QueueName, recordKey } from "../src/queues/names.ts";
import { recordPages } from "../src/records/record-pages.ts";
import { unpackJob } from "../src/records/stored-job.ts";
import type { RedisClient } from "../src/redis/connection.ts";
import type { Logger } from "../src/telemetry/logger.ts";
import { repliesOf } from "../src/redis/replies.ts";

export interface LostJobsDeps {
  readonly redis: RedisClient;
  readonly queues: Pick<JobQueues, "add" | "entriesGone" | "missing">;
  readonly logger: Logger;
  /** By Redis' clock, ms. */
  readonly now: () => number;
  /** On a clock that never jumps, ms. */
  readonly monotonic: () => number;
}

/** Keys of any kind that one look goes over: a fraction of a millisecond of Redis. */
const KEYS_AT_ONCE = 200;
/** From the beginning of one round through all records to that of the next, in ms. */
const ROUND_MS = 300_000;
/** What was recorded this long ago has its entry by now, or never gets one, in ms: both come in one go. */
const SETTLES_IN_MS = 60_000;
const OPEN: ReadonlySet<string> = new Set(OPEN_STATES);

interface Round {
  readonly begunAt: number;
  readonly pages: AsyncGenerator<readonly string[], void, void>;
  /** All records were looked at. */
  isDone: boolean;
}

/** A job that is not settled. */
interface OpenJob {
  readonly id: string;
  /** As it is stored. */
  readonly job: string;
  /** When it was changed last. */
  readonly updated: string | null;
  readonly ticket: string | null;
}

/**
 * Finds jobs that are not settled and that nothing in their queue carries (another tool removed their entry, Redis forgot it, a
 * fault of ours), and queues them again: else nobody would ever look at one that has no deadline. What is queued twice runs once.
 */
export class LostJobs {
  readonly #deps: LostJobsDeps;
  readonly #rounds = new Map<QueueName, Round>();

  constructor(deps: LostJobsDeps) {
    this.#deps = deps;
  }

  /** Looks at some of a queue's records, going on where the last call ended; between two rounds at none. */
  async look(queue: QueueName): Promise<void> {
    const { redis, monotonic } = this.#deps;
    let round = this.#rounds.get(queue);
    // Of many records one takes longer than that: it is gone through to its end.
    if (round === undefined || (round.isDone && monotonic() - round.begunAt >= ROUND_MS)) {
      round = { begunAt: monotonic(), pages: recordPages(redis, queue, KEYS_AT_ONCE), isDone: false };
      this.#rounds.set(queue, round);
    }
    try {
      const { value: ids = [], done } = (await round.pages.next()) as IteratorResult<readonly string[], undefined>;
      round.isDone = done === true;
      const lost = await this.#lost(queue, await this.#open(queue, ids));
      const before = new Map(lost.map(({ id, updated }) => [id, updated]));
      // One that goes on meanwhile had its entry until then.
      const again = await this.#open(queue, [...before.keys()]);
      const still = again.filter(({ id, updated }) => before.get(id) === updated);
      await this.#requeue(queue, still);
    } catch (error) {
      this.#rounds.delete(queue);
      throw error;
    }
  }

  async #open(queue: QueueName, ids: readonly string[]): Promise<OpenJob[]> {
    const { redis, now } = this.#deps;
    const pipeline = redis.pipeline();
    for (const id of ids) pipeline.hmget(recordKey(queue, id), "state", "updated", "job", "ticket");
    // What stands in a record's place is the reaper's to park.
    const replies = (await repliesOf(pipeline, [null, null, null, null])) as (string | null)[][];
    return replies.flatMap(([state = null, updated = null, job = null, ticket = null], index): OpenJob[] => {
      const isOld = now() - Number(updated) >= SETTLES_IN_MS;
      return state !== null && OPEN.has(state) && job !== null && isOld
        ? [{ id: ids[index] ?? "", job, updated, ticket }]
        : [];
    });
  }

  /** Those that neither an entry of their own nor a ticket carries. */
  async #lost(queue: QueueName, open: readonly OpenJob[]): Promise<OpenJob[]> {
    if (open.length === 0) return [];
    const { queues } = this.#deps;
    const ids = open.map(({ id }) => id);
    const missing = new Set(await queues.missing(queue, ids));
    const without = open.filter(({ id }) => missing.has(id));
    const tickets = [...new Set(without.flatMap(({ ticket }) => ticket ?? []))];
    const gone = new Set(await queues.entriesGone(queue, tickets));
    return without.filter(({ ticket }) => ticket === null || gone.has(ticket));
  }

  async #requeue(queue: QueueName, lost: readonly OpenJob[]): Promise<void> {
    if (lost.length === 0) return;
    const { queues, logger } = this.#deps;
    await queues.add(queue, lost.map(queuedJob));
    logger.rarely.warn(
      { queue, job: lost[0]?.id ?? null, jobs: lost.length },
      "jobs without an entry in their queue: queued again",
    );
  }
}

function queuedJob({ id, job }: OpenJob): QueuedJob {
  const { operation, lane } = unpackJob(job);
  return { id, lane, verify: OPERATIONS.find(({ name }) => name === operation)?.step === "verify" };
}
