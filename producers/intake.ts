import type { Settings } from "../src/config/settings.ts";
import { ErrorCode, SatyapanError } from "../src/error.ts";
import { scopesOf } from "../src/limits/scopes.ts";
import { subjectOf } from "../src/limits/subject.ts";
import { findOperation } from "../src/operations/catalogue.ts";
import { consent } from "../src/operations/fields.ts";
import type { OpenInput } from "../src/operations/operation.ts";
import type { AuditEntry } from "../src/privacy/audit/entry.ts";
import type { Scope } from "../src/privacy/data-key.ts";
import type { DataKeys } from "../src/privacy/data-keys.ts";
import type { Sealer } from "../src/privacy/sealed-text.ts";
import { inputDigest } from "../src/privacy/subject-key.ts";
import { Secret } from "../src/privacy/secret.ts";
import type { RedisClient } from "../src/queues/connection.ts";
import { claimKey, type QueueName, queueOf, QUEUES } from "../src/queues/names.ts";
import { checkOwnId, type Ids } from "../src/records/ids.ts";
import type { JobRecord, Lane } from "../src/records/record.ts";
import type { Creation, RecordStore } from "../src/records/record-store.ts";
import { sealInput } from "../src/records/sealed-input.ts";
import type { NewJob } from "../src/records/stored-job.ts";
import type { CheckedInput } from "./input-check.ts";
import type { JobQueues } from "./job-queues.ts";
import { redisFailure } from "../src/queues/redis-failure.ts";

export interface IntakeDeps {
  readonly records: RecordStore;
  readonly queues: JobQueues;
  readonly redis: RedisClient;
  readonly dataKeys: DataKeys;
  readonly settings: Settings;
  readonly ids: Ids;
  /** Who submits, for the audit log. */
  readonly actor: string;
  readonly now: () => number;
}

export interface AcceptOptions {
  /** One per input; null: a new one. */
  readonly ids: readonly (string | null)[];
  readonly lane: Lane;
  readonly expiresAt: number | null;
  /** Whose data key seals them. */
  readonly scope: Scope;
  readonly onAccepted?: ((count: number) => void) | undefined;
}

interface AcceptedJob {
  /** The caller's own id, or null. */
  readonly own: string | null;
  readonly queue: QueueName;
  readonly job: NewJob;
}

// 500 to 1,000 a pipeline is the fastest that leaves Redis responsive (facts/bullmq §1.8).
const CHUNK = 500;

/**
 * Takes checked inputs in: seals, records, then queues them. The record comes first, so a crash in between leaves a
 * record without a queue entry; the caller got no answer then, and submitting the same id again queues it.
 */
export class Intake {
  readonly #deps: IntakeDeps;

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
  }

  /** The records in the order of the inputs, whose ids have been through `checkIds`. Throws SatyapanError `id-conflict` for an id that names another job. */
  async accept(inputs: readonly CheckedInput[], options: AcceptOptions): Promise<JobRecord[]> {
    await this.#refuseConflicts(inputs, options.ids);
    const records: JobRecord[] = [];
    try {
      for (let from = 0; from < inputs.length; from += CHUNK) {
        const chunk = inputs.slice(from, from + CHUNK);
        records.push(...(await this.#acceptChunk(chunk, options.ids.slice(from, from + CHUNK), options)));
        options.onAccepted?.(records.length);
      }
    } catch (error) {
      const failure = await redisFailure(error, this.#deps.redis);
      if (inputs.length === 1 || !(failure instanceof SatyapanError)) throw failure;
      const message = `at least ${records.length} of ${inputs.length} jobs were accepted, then: ${failure.message}`;
      throw new SatyapanError(failure.code, message, { cause: failure });
    }
    return records;
  }

  /** Before the first of many is taken in: no id of the caller's names another job already, of either provider. */
  async #refuseConflicts(inputs: readonly CheckedInput[], ids: readonly (string | null)[]): Promise<void> {
    const { records, settings } = this.#deps;
    const own = inputs.flatMap(({ operation, input }, index) => {
      const id = ids[index] ?? null;
      return id === null ? [] : [{ id, digest: inputDigest(settings.subjectKey, operation.name, input) }];
    });
    for (let from = 0; from < own.length; from += CHUNK) {
      const chunk = own.slice(from, from + CHUNK);
      const chunkIds = chunk.map(({ id }) => id);
      for (const queue of QUEUES) {
        const digests = await records.digests(queue, chunkIds);
        const conflict = chunk.find(({ digest }, index) => (digests[index] ?? digest) !== digest);
        if (conflict !== undefined) throw idConflict(conflict.id);
      }
    }
  }

  async #acceptChunk(
    inputs: readonly CheckedInput[],
    ids: readonly (string | null)[],
    options: AcceptOptions,
  ): Promise<JobRecord[]> {
    const sealer = await this.#deps.dataKeys.sealer(options.scope);
    const jobs: AcceptedJob[] = inputs.map((input, index) => ({
      own: ids[index] ?? null,
      ...this.#newJob(sealer, input, ids[index] ?? null, options),
    }));
    await Promise.all(jobs.map(async ({ own, queue }) => (own === null ? undefined : await this.#claim(own, queue))));
    const answers = new Map<string, JobRecord>();
    for (const [queue, ofQueue] of Map.groupBy(jobs, (job) => job.queue)) {
      const [old, fresh] = [ofQueue.filter(({ own }) => own !== null), ofQueue.filter(({ own }) => own === null)];
      for (const { job } of fresh) answers.set(job.id, queuedRecord(job));
      // Ids that were just made name no other job: their queue takes them in the same round trip, after their records.
      const creating = this.#create(queue, fresh);
      await Promise.all([creating, this.#enqueue(queue, fresh)]);
      if (old.length > 0) await this.#acceptOwnIds(queue, old, answers);
    }
    return jobs.flatMap(({ job }) => answers.get(job.id) ?? []);
  }

  /** Those that were there before stay as they are. */
  async #acceptOwnIds(queue: QueueName, jobs: readonly AcceptedJob[], answers: Map<string, JobRecord>): Promise<void> {
    const creations = await this.#create(queue, jobs);
    const duplicates = jobs.filter((_, index) => creations[index] === "duplicate").map(({ job }) => job.id);
    const found = await this.#deps.records.getMany(queue, duplicates);
    for (const record of found) if (record !== null) answers.set(record.id, { ...record, duplicate: true });
    for (const { job } of jobs) if (!answers.has(job.id)) answers.set(job.id, queuedRecord(job));
    // Also what was recorded before and never queued, because its producer died in between: adding twice adds once.
    await this.#enqueue(
      queue,
      jobs.filter(({ job }) => answers.get(job.id)?.state === "queued"),
    );
  }

  async #create(queue: QueueName, jobs: readonly AcceptedJob[]): Promise<Creation[]> {
    const creations = await this.#deps.records.create(
      queue,
      jobs.map(({ job }) => job),
    );
    const conflict = jobs[creations.indexOf("conflict")];
    if (conflict !== undefined) throw idConflict(conflict.job.id);
    return creations;
  }

  async #enqueue(queue: QueueName, jobs: readonly AcceptedJob[]): Promise<void> {
    if (jobs.length === 0) return;
    const entries = jobs.map(({ job: { id, lane, operation } }) => ({
      ...{ id, lane },
      verify: findOperation(operation).step === "verify",
    }));
    await this.#deps.queues.add(queue, entries);
  }

  #newJob(
    sealer: Sealer,
    { operation, input, clientRefId, of, deadline }: CheckedInput,
    own: string | null,
    options: AcceptOptions,
  ): { queue: QueueName; job: NewJob } {
    const { settings, ids, actor, now } = this.#deps;
    const createdAt = now();
    const id = own ?? ids.job(createdAt);
    const subject = subjectOf(settings.subjectKey, operation, input);
    return {
      queue: queueOf(operation.provider),
      job: {
        id,
        operation: operation.name,
        lane: options.lane,
        input: sealInput(sealer, operation, id, input),
        digest: inputDigest(settings.subjectKey, operation.name, input),
        reference: clientRefId === null ? (own === null ? "derived" : "fresh") : { fixed: clientRefId },
        of,
        subject,
        scopes: scopesOf(operation, input),
        createdAt,
        expiresAt: earliest(options.expiresAt, deadline),
        consent: consentEntry({ job: id, operation: operation.name, subject, actor, createdAt }, input),
      },
    };
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
    for (const value of Object.values(input)) {
      // Short secrets (a 4-digit code) are found in any id by chance.
      if (!(value instanceof Secret) || value.open().length < 8 || !id.includes(value.open())) continue;
      const message = "id: holds a personal value of the input; use a reference of your own";
      throw new SatyapanError(ErrorCode.BAD_INPUT, message);
    }
  }
}

interface Consenting {
  readonly job: string;
  readonly operation: string;
  readonly subject: string | null;
  readonly actor: string;
  readonly createdAt: number;
}

/** The consent of an input, for the audit log; null where it has none. */
function consentEntry(about: Consenting, { consent: given }: OpenInput): AuditEntry | null {
  if (given === undefined) return null;
  const { reference, method, obtained_at, language = null } = consent.parse(given);
  const { job, operation, subject, actor, createdAt } = about;
  return {
    ...{ at: new Date(createdAt).toISOString(), kind: "consent", actor, job, operation, subject },
    ...{ consent: reference, method, obtained_at, language },
  };
}

/** A verify is of no use after its OTP has died, whatever its caller says. */
function earliest(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other);
}

function idConflict(id: string): SatyapanError {
  return new SatyapanError(
    ErrorCode.ID_CONFLICT,
    `id: ${id} names a job with another operation or input; choose another id`,
  );
}

/** What a job looks like the moment it is in: saves reading it back. */
function queuedRecord(job: NewJob): JobRecord {
  const createdAt = new Date(job.createdAt).toISOString();
  return {
    id: job.id,
    operation: job.operation,
    lane: job.lane,
    state: "queued",
    outcome: null,
    attempts: [],
    next_attempt_at: null,
    reason: null,
    result: null,
    expires_at: job.expiresAt === null ? null : new Date(job.expiresAt).toISOString(),
    created_at: createdAt,
    updated_at: createdAt,
  };
}
