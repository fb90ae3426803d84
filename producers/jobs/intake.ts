import type { Settings } from "../../src/config/settings.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { KeyScope } from "../../src/privacy/sealing/data-key.ts";
import type { DataKeys } from "../../src/privacy/keys/data-keys.ts";
import { inputDigest } from "../../src/secrets/subject-key.ts";
import { Secret } from "../../src/secrets/secret.ts";
import { isTerminal } from "../../src/outcomes/state.ts";
import { type RedisClient, RESENT_MS } from "../../src/redis/connection.ts";
import { claimKey, type QueueName, queueOf, QUEUES } from "../../src/queues/names.ts";
import { checkOwnId, type Ids } from "../../src/records/ids.ts";
import type { JobRecord } from "../../src/records/record.ts";
import type { Lane } from "../../src/outcomes/lane.ts";
import type { Creation, RecordStore } from "../../src/records/record-store.ts";
import type { NewJob } from "../../src/records/stored-job.ts";
import type { CheckedInput } from "../../src/entry/input-check.ts";
import type { TicketPacker } from "../../src/records/ticket-packer.ts";
import { newJob, queuedRecord } from "../../src/records/new-job.ts";
import type { TraceContext } from "../../src/base/trace-context.ts";
import type { Traces } from "../../src/records/traces.ts";
import { type IfPending, openChallenges } from "./open-challenges.ts";
import type { Patience } from "../base/patience.ts";
import { redisFailure } from "../../src/redis/failure.ts";

export interface IntakeDeps {
  readonly records: RecordStore;
  readonly packer: TicketPacker;
  readonly redis: RedisClient;
  readonly dataKeys: DataKeys;
  readonly traces: Pick<Traces, "hand">;
  readonly settings: Settings;
  readonly ids: Ids;
  /** The name of the caller in the audit log. */
  readonly actor: string;
  readonly now: () => number;
}

export interface AcceptOptions {
  /** One per input; null: a new one. */
  readonly ids: readonly (string | null)[];
  readonly lane: Lane;
  /** From when it is accepted, in ms; null: no deadline. */
  readonly expiresInMs: number | null;
  /** The day or batch whose data key seals them. */
  readonly scope: KeyScope;
  /** Whose trace they are a part of; null: each has its own. A verify is in its send's. */
  readonly trace: TraceContext | null;
  /** `reuse`: a person to whom one of the same operation is pending is answered with that, marked `reused`. */
  readonly ifPending: IfPending;
  /** Goes on for as long as it bears what passes. */
  readonly patience: Patience;
}

/** One of the inputs, with the id that it keeps however often it is tried. */
interface Entry {
  readonly id: string;
  /** Whether the id is the caller's own. */
  readonly isOwn: boolean;
  readonly checked: CheckedInput;
}

interface AcceptedJob {
  readonly isOwn: boolean;
  readonly queue: QueueName;
  readonly job: NewJob;
  /** With `ifPending: "reuse"`: the person's sends that were looked at. */
  readonly judged: readonly string[] | null;
}

/** Jobs taken in at once: 500 to 1,000 a pipeline is the fastest that leaves Redis responsive (facts/bullmq §1.8). */
export const CHUNK = 500;

/**
 * Takes checked inputs in: seals, records, then queues them. The record comes first, so a crash in between leaves a
 * record without a queue entry; the caller got no answer then, and submitting the same id again queues it.
 */
export class Intake {
  readonly #deps: IntakeDeps;

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
  }

  /**
   * Takes in at most `CHUNK` inputs, whose ids have been through `checkIds` and `refuseConflicts`. Their records, in order.
   * Throws SatyapanError `id-conflict` for an id that has come to name another job meanwhile.
   */
  async accept(inputs: readonly CheckedInput[], options: AcceptOptions): Promise<JobRecord[]> {
    const { ids, now, redis } = this.#deps;
    const entries = inputs.map((checked, index): Entry => {
      const own = options.ids[index] ?? null;
      return { id: own ?? ids.job(now()), isOwn: own !== null, checked };
    });
    try {
      return entries.length === 0 ? [] : await this.#acceptChunk(entries, options);
    } catch (error) {
      const failure = await redisFailure(error, redis);
      const [only] = entries;
      const isStopped = failure instanceof SatyapanError && failure.code === ErrorCode.INTERRUPTED;
      if (!isStopped || entries.length > 1 || only === undefined) throw failure;
      const text = `the submission was stopped: \`satyapan show ${only.id}\` tells whether the job was accepted`;
      throw new SatyapanError(failure.code, text, { cause: failure });
    }
  }

  /** Before the first of many is taken in: none of these ids of the caller's names another job already, of either provider. */
  async refuseConflicts(inputs: readonly CheckedInput[], ids: readonly (string | null)[]): Promise<void> {
    const { records, settings } = this.#deps;
    const own = inputs.flatMap(({ operation, input }, index) => {
      const id = ids[index] ?? null;
      return id === null ? [] : [{ id, digest: inputDigest(settings.subjectKey, operation.name, input) }];
    });
    const ownIds = own.map(({ id }) => id);
    for (const queue of QUEUES) {
      const digests = await records.digests(queue, ownIds);
      const conflict = own.find(({ digest }, index) => (digests[index] ?? digest) !== digest);
      if (conflict !== undefined) throw idConflict(conflict.id);
    }
  }

  async #acceptChunk(entries: readonly Entry[], options: AcceptOptions): Promise<JobRecord[]> {
    const { records, settings, dataKeys, now } = this.#deps;
    const { ifPending, patience } = options;
    const createdAt = now();
    let tries = 0;
    return await patience.run(async () => {
      const isAgain = tries > 0;
      const pending =
        ifPending === "wait"
          ? null
          : await openChallenges(
              records,
              settings,
              now(),
              entries.map(({ checked }) => checked),
              entries.map(({ id, isOwn }) => (isOwn || isAgain ? id : null)),
            );
      const sealer = await dataKeys.sealer(options.scope);
      const jobs = entries.flatMap(({ id, isOwn, checked }, index): AcceptedJob[] => {
        const { record = null, judged = null } = pending?.[index] ?? {};
        if (record !== null) return [];
        const terms = { ...options, id, isOwn, createdAt, actor: this.#deps.actor };
        const queue = queueOf(checked.operation.provider);
        return [{ isOwn, queue, judged, job: newJob(settings.subjectKey, sealer, checked, terms) }];
      });
      tries += 1;
      await this.#handTrace(jobs, options.trace);
      const answers = await this.#take(jobs, isAgain);
      return entries.flatMap(({ id }, index) => pending?.[index]?.record ?? answers.get(id) ?? []);
    });
  }

  /** Before they enter, so that whoever takes them knows it. */
  async #handTrace(jobs: readonly AcceptedJob[], trace: TraceContext | null): Promise<void> {
    if (trace === null) return;
    const roots = jobs.filter(({ job }) => job.of === null);
    await allEnded(roots.map(async ({ queue, job }) => await this.#deps.traces.hand(queue, job.id, trace)));
  }

  /** The answers by the jobs' ids. */
  async #take(jobs: readonly AcceptedJob[], isAgain: boolean): Promise<Map<string, JobRecord>> {
    await allEnded(jobs.map(async ({ isOwn, job, queue }) => (isOwn ? await this.#claim(job.id, queue) : undefined)));
    const answers = new Map<string, JobRecord>();
    for (const [queue, list] of Map.groupBy(jobs, (job) => job.queue)) {
      const ofQueue = isAgain ? list : await this.#packed(queue, list);
      const isFresh = ({ isOwn, judged }: AcceptedJob): boolean => !isOwn && !isAgain && judged === null;
      const [old, fresh] = [ofQueue.filter((job) => !isFresh(job)), ofQueue.filter(isFresh)];
      for (const { job } of fresh) answers.set(job.id, queuedRecord(job));
      // Ids that were just made name no other job: their queue takes them in the same round trip, after their records.
      const creating = this.#create(queue, fresh);
      const queuing = this.#deps.packer.enqueue(
        queue,
        fresh.map(({ job }) => job),
      );
      await allEnded([creating, queuing]);
      if (old.length > 0) await this.#takeOld(queue, old, isAgain, answers);
    }
    return answers;
  }

  /** Those that were there before stay as they are. */
  async #takeOld(
    queue: QueueName,
    jobs: readonly AcceptedJob[],
    isAgain: boolean,
    answers: Map<string, JobRecord>,
  ): Promise<void> {
    const askedAt = performance.now();
    const creations = await this.#create(queue, jobs);
    const isResent = performance.now() - askedAt >= RESENT_MS;
    const there = jobs.flatMap(({ job }, index) => {
      const creation = creations[index] ?? "created";
      if (creation === "created") return [];
      return [{ job, isPending: creation.startsWith("pending "), id: creation.split(" ")[1] ?? job.id }];
    });
    const found = await this.#deps.records.getMany(
      queue,
      there.map(({ id }) => id),
    );
    for (const [index, { job, isPending }] of there.entries()) {
      const record = found[index] ?? null;
      if (record === null) continue;
      // An earlier try created it, and its answer was lost: no duplicate. Of one that has ended its input may be gone, by which the step
      // that was sent again would know it.
      const isTold = isAgain || (isResent && isTerminal(record.state));
      const isOurs = isTold && record.created_at === queuedRecord(job).created_at;
      const mark = isPending ? { reused: true as const } : isOurs ? {} : { duplicate: true as const };
      answers.set(job.id, { ...record, ...mark });
    }
    for (const { job } of jobs) if (!answers.has(job.id)) answers.set(job.id, queuedRecord(job));
    // Also what was recorded before and never queued, because its producer died in between: adding twice adds once.
    const queued = jobs.flatMap(({ job }, index) => {
      const answer = answers.get(job.id);
      if (answer?.id !== job.id || answer.state !== "queued" || creations[index] === "carried") return [];
      return [creations[index] === "created" ? job : { ...job, ticket: null }];
    });
    await this.#deps.packer.enqueue(queue, queued);
  }

  async #packed(queue: QueueName, jobs: readonly AcceptedJob[]): Promise<AcceptedJob[]> {
    const packed = await this.#deps.packer.pack(
      queue,
      jobs.map(({ job }) => job),
    );
    return jobs.map((accepted, index) => ({ ...accepted, job: packed[index] ?? accepted.job }));
  }

  async #create(queue: QueueName, jobs: readonly AcceptedJob[]): Promise<Creation[]> {
    const creations = await this.#deps.records.create(
      queue,
      jobs.map(({ job }) => job),
      jobs.some(({ judged }) => judged !== null) ? jobs.map(({ judged }) => judged ?? []) : null,
    );
    const conflict = jobs[creations.indexOf("conflict")];
    if (conflict !== undefined) throw idConflict(conflict.job.id);
    return creations;
  }

  /** One own id names one job over all queues, whatever two producers do at the same instant. */
  async #claim(id: string, queue: QueueName): Promise<void> {
    const { redis, settings } = this.#deps;
    const key = claimKey(id);
    if ((await redis.set(key, queue, "PX", settings.retention.recordMs, "NX")) === "OK") return;
    if ((await redis.get(key)) !== queue) throw idConflict(id);
  }
}

/**
 * Whether callers may give their jobs these ids; null: they gave none.
 * @throws SatyapanError `bad-input` for one that is malformed or holds a number of the person
 */
export function checkIds(inputs: readonly CheckedInput[], ids: readonly (string | null)[]): void {
  for (const [index, { input }] of inputs.entries()) {
    const id = ids[index] ?? null;
    if (id === null) continue;
    checkOwnId(id);
    assertImpersonal(id, input);
  }
}

/** Throws SatyapanError `bad-input` for an id that holds a personal value of its input. */
export function assertImpersonal(id: string, input: CheckedInput["input"]): void {
  for (const value of Object.values(input)) {
    // Short secrets (a 4-digit code) are found in any id by chance.
    if (!(value instanceof Secret) || value.open().length < 8 || !id.includes(value.open())) continue;
    const message = "id: holds a personal value of the input; use a reference of your own";
    throw new SatyapanError(ErrorCode.BAD_INPUT, message);
  }
}

/** Nothing of a try is on its way any more when the next one begins. */
async function allEnded(works: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(works);
  await Promise.all(works);
}

function idConflict(id: string): SatyapanError {
  return new SatyapanError(
    ErrorCode.ID_CONFLICT,
    `id: ${id} names a job with another operation or input; choose another id`,
  );
}
