import { setTimeout as sleep } from "node:timers/promises";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { findOperation, OPERATION_NAMES } from "../../src/operations/catalogue.ts";
import type { OutcomeKind } from "../../src/outcomes/outcome.ts";
import type { QueueName } from "../../src/queues/names.ts";
import { StateIndex } from "../../src/records/state-index.ts";
import type { AuditEntry } from "../../src/privacy/audit/entry.ts";
import type { JobRecord } from "../../src/records/record.ts";
import { asQueued, findJob, type FoundJob } from "../jobs/find-job.ts";
import { indexedJobs } from "../jobs/indexed-jobs.ts";
import type { Actor } from "../base/actor.ts";
import type { UseRedis } from "../base/client-connections.ts";
import { inputDestroyed, requeue } from "../jobs/requeue.ts";

/** Which failed jobs; what is not given does not matter. */
export interface FailedFilter {
  /** These alone, whatever else is asked. Each has to be failed. */
  readonly ids?: readonly string[];
  readonly operation?: string;
  /** How the last attempt ended. */
  readonly outcome?: OutcomeKind;
  /** Failed at or after this time, ms since the epoch. */
  readonly since?: number;
}

export interface ChangeOptions {
  /** Aborted, it ends the work between two jobs. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each step with how many were done so far. */
  readonly onDone?: ((count: number) => void) | undefined;
}

export interface RetryOptions extends ChangeOptions {
  /** Jobs per second. Default 50: the quota decides how fast they are called, this only spares Redis. */
  readonly rate?: number;
  /** Called with ids of jobs that stay as they are, because their input is no longer kept or cannot be read. */
  readonly onDestroyed?: ((ids: readonly string[]) => void) | undefined;
}

interface Revived {
  readonly done: number;
  readonly destroyed: readonly string[];
}

export const DEFAULT_RATE = 50;
const PAGE = 500;
/** The time whose jobs go back at once, in ms. */
const STEP_MS = 200;

/** The dead letters: jobs whose attempts were used up. An `unknown` job is none of them: it is settled, not tried again. */
export class FailedJobs {
  readonly #use: UseRedis;
  readonly #actor: Actor;

  constructor(use: UseRedis, actor: Actor) {
    this.#use = use;
    this.#actor = actor;
  }

  /** Their records, oldest first in each queue. Throws SatyapanError `unknown-operation`, `unknown-job`, `bad-input`. */
  async *list(filter: FailedFilter = {}): AsyncGenerator<JobRecord, void, void> {
    for await (const { record } of this.#find(filter)) yield record;
  }

  async count(filter: FailedFilter = {}): Promise<number> {
    let count = 0;
    for await (const _ of this.#find(filter)) count += 1;
    return count;
  }

  /** Gives them their attempts back and queues them in their lanes, in steps. How many. Throws as `list`. */
  async retry(
    filter: FailedFilter = {},
    { rate = DEFAULT_RATE, signal, onDone, onDestroyed }: RetryOptions = {},
  ): Promise<number> {
    const size = Math.min(PAGE, Math.max(1, Math.floor((rate * STEP_MS) / 1_000)));
    const { now } = this.#actor;
    const started = now();
    let taken = 0;
    let done = 0;
    for await (const step of inSteps(this.#find(filter), size)) {
      // In time with the rate from the start: what the work itself takes is not waited for again.
      const due = started + (taken / rate) * 1_000;
      if (due > now()) await sleep(due - now(), undefined, { signal }).catch(() => {});
      if (signal?.aborted === true) break;
      taken += step.length;
      for (const [queue, found] of Map.groupBy(step, (job) => job.queue)) {
        const revived = await this.#revive(queue, found);
        done += revived.done;
        const [first] = revived.destroyed;
        // A job that was named is refused with the reason; others are left out.
        if (first !== undefined && filter.ids?.length === 1) throw inputDestroyed(first);
        if (first !== undefined) onDestroyed?.(revived.destroyed);
      }
      onDone?.(done);
    }
    return done;
  }

  /** Deletes their records for good. How many. Throws as `list`. */
  async drop(filter: FailedFilter = {}, { signal, onDone }: ChangeOptions = {}): Promise<number> {
    let dropped = 0;
    for await (const found of this.#find(filter)) {
      if (signal?.aborted === true) break;
      const { queue, record } = found;
      const entry = this.#entry("drop", found);
      const isDropped = await this.#use(
        async ({ redis }) => await new StateIndex(redis, "failed").drop(queue, record, entry),
      );
      if (!isDropped) continue;
      dropped += 1;
      onDone?.(dropped);
    }
    return dropped;
  }

  async #revive(queue: QueueName, found: readonly FoundJob[]): Promise<Revived> {
    return await this.#use(async ({ records, queues }) => {
      const at = this.#actor.now();
      const line = JSON.stringify({ decision: "retry", reason: null, at });
      const [readable, others] = [found.filter(isReadable), found.filter((job) => !isReadable(job))];
      const unreadable = others.map(({ record }) => record.id);
      if (readable.length === 0) return { done: 0, destroyed: unreadable };
      const jobs = readable.map(({ record }) => asQueued(record));
      const answers = await requeue(queues, queue, jobs, 0, async () => {
        return await Promise.all(
          readable.map(async (job) => await records.revive(queue, job.record.id, line, at, this.#entry("replay", job))),
        );
      });
      return {
        done: answers.filter((answer) => answer === "done").length,
        destroyed: [...unreadable, ...jobs.filter((_, index) => answers[index] === "destroyed").map(({ id }) => id)],
      };
    });
  }

  #entry(kind: "replay" | "drop", { record, subject }: FoundJob): AuditEntry {
    const { name: actor, now } = this.#actor;
    const { id: job, operation } = record;
    return { at: new Date(now()).toISOString(), kind, actor, job, operation, subject };
  }

  async *#find(filter: FailedFilter): AsyncGenerator<FoundJob, void, void> {
    if (filter.operation !== undefined) findOperation(filter.operation);
    if (filter.ids !== undefined && filter.ids.length > 0) {
      for (const found of await this.#named(filter.ids)) if (fits(found.record, filter)) yield found;
      return;
    }
    for await (const found of indexedJobs(this.#use, "failed", filter)) if (fits(found.record, filter)) yield found;
  }

  /** All of them, before the first is touched. */
  async #named(ids: readonly string[]): Promise<FoundJob[]> {
    return await this.#use(async ({ records }) => {
      const found: FoundJob[] = [];
      for (const id of new Set(ids)) {
        const job = await findJob(records, id);
        if (job.record.state !== "failed") throw notFailed(job.record);
        found.push(job);
      }
      return found;
    });
  }
}

/** One whose operation nobody knows cannot be called: its record is broken, or of a later version. */
function isReadable({ record }: FoundJob): boolean {
  return OPERATION_NAMES.includes(record.operation);
}

function fits({ operation, outcome, updated_at }: JobRecord, filter: FailedFilter): boolean {
  if (filter.operation !== undefined && operation !== filter.operation) return false;
  if (filter.outcome !== undefined && outcome?.kind !== filter.outcome) return false;
  return filter.since === undefined || Date.parse(updated_at) >= filter.since;
}

async function* inSteps<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[], void, void> {
  let step: T[] = [];
  for await (const item of items) {
    step.push(item);
    if (step.length < size) continue;
    yield step;
    step = [];
  }
  if (step.length > 0) yield step;
}

function notFailed({ id, state }: JobRecord): SatyapanError {
  const instead =
    state === "unknown"
      ? `; whether it happened is for you to say: \`satyapan settle ${id} succeeded|rejected|resend\``
      : "";
  return new SatyapanError(ErrorCode.BAD_INPUT, `job ${id} is ${state}, not failed${instead}`);
}
