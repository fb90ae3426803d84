import { OPERATIONS } from "../operations/catalogue.ts";
import { type AuditEntry, auditText } from "../privacy/audit/entry.ts";
import type { RedisClient } from "../redis/connection.ts";
import { bullmqPrefix, dueKey, queuePrefix, type QueueName, recordKey, SETTLED_CHANNEL } from "../queues/names.ts";
import type { ExpiredState } from "./attempt-start.ts";
import { newStep } from "../redis/once.ts";
import { SHORT_VALUE } from "../redis/short-value.ts";
import { isNoRecord } from "./no-record.ts";
import { packRecord, withNuls } from "./packed-record.ts";
import { RecordReader } from "./record-reader.ts";
import { CREATE } from "./scripts/create.ts";
import { type Retention, retentionArgs, retentionOf } from "./retention.ts";
import type { RetentionTimes } from "./settings.ts";
import { ABANDON, DESTROY_PERSONAL, PACK, PROMOTE, REAP, REVIVE, SETTLE } from "./scripts/end.ts";
import type { JobState, TerminalState } from "../outcomes/state.ts";
import { type NewJob, packJob, type StoredJob, unpackJob } from "./stored-job.ts";

/** A job that expired before anybody took it. */
export interface ExpiredJob {
  readonly id: string;
  readonly job: StoredJob;
  /** `unknown` where an earlier send of it may have happened. */
  readonly state: ExpiredState;
}

/** One round of the reaper. */
export interface Reaped {
  readonly expired: readonly ExpiredJob[];
  /** Ids of jobs whose keys hold no record: they are parked. */
  readonly parked: readonly string[];
  /** The operations of sends whose OTP nobody answered in time, one for each. */
  readonly unanswered: readonly string[];
  /** Those of sends for which codes were given, and none was right in time. */
  readonly spent: readonly string[];
  /** Whether more is due. */
  readonly more: boolean;
}

/** The most records of one round of the reaper. */
const REAP_AT_ONCE = 200;
/** The most records of one script that packs them: it keeps Redis busy for half a millisecond. */
const PACK_AT_ONCE = 50;
/** An attempt that is under way past its job's deadline is looked at again after this, in ms. */
const LOOK_AGAIN_MS = 60_000;

/**
 * `carried`: a duplicate, which a ticket in the queue carries; `pending ID`: that job's OTP to the same person is on its way. But
 * for `created` nothing was created.
 */
export type Creation = "created" | "duplicate" | "carried" | "conflict" | `pending ${string}`;

/** `due`: it was already; `other`: it waits for something else, or does not wait. */
export type Promotion = "done" | "due" | "missing" | "expired" | "other";

/** Job records in Redis, apart from the BullMQ job. Every step is one round trip. What workers write is in `Journal`. */
export class RecordStore extends RecordReader {
  readonly #redis: RedisClient;
  readonly #retention: RetentionTimes;
  readonly #shortValue: number;
  /** The first time it is sent in full: asked for by its digest, a server that does not know it would take what is queued behind it before. */
  #isCreateKnown = false;

  /** `shortValue`: the longest value of a short hash, bytes (`shortValue`); only who reaps has to know. */
  constructor(redis: RedisClient, retention: RetentionTimes, shortValue = SHORT_VALUE) {
    super(redis);
    this.#redis = redis;
    this.#retention = retention;
    this.#shortValue = shortValue;
  }

  /**
   * Records new jobs of one queue, in one round trip: one answer per job, in order. With `judged`, none for a person to whom
   * one of the same operation is pending: for each job the sends (of `lastSends`) whose OTPs are known to be open no more.
   */
  async create(
    queue: QueueName,
    jobs: readonly NewJob[],
    judged: readonly (readonly string[])[] | null = null,
  ): Promise<Creation[]> {
    const due = dueKey(queue);
    const runs = jobs.map((job, index) => ({
      keys: [recordKey(queue, job.id), due],
      args: creationArgs(queue, job, judged === null ? null : (judged[index] ?? [])),
    }));
    const [only] = runs;
    // A pipeline and the script in full would cost a producer a third of a submission.
    if (only !== undefined && runs.length === 1 && this.#isCreateKnown) {
      return [(await CREATE.run(this.#redis, only.keys, only.args)) as Creation];
    }
    const creations = (await CREATE.runMany(this.#redis, runs)) as Creation[];
    this.#isCreateKnown = true;
    return creations;
  }

  /**
   * Ends a job that will never be called (again). With an attempt open it is `unknown` in place of `failed`, unless `unmade` is that
   * attempt's token, which was not made.
   */
  async abandon(
    queue: QueueName,
    id: string,
    state: TerminalState,
    reason: string,
    now: number,
    unmade: string | null = null,
  ): Promise<string> {
    const key = recordKey(queue, id);
    // What is no record has neither.
    const [text, personal] = await this.#redis.hmget(key, "job", "personal").catch((error: unknown) => {
      if (isNoRecord(error)) return [];
      throw error;
    });
    const { operation, expiresAt } = unpackJob(text ?? "");
    const kept = {
      ...{ result: null, hasPersonal: typeof personal === "string", endedAt: now },
      // A garbled job has neither step nor deadline.
      step: OPERATIONS.find(({ name }) => name === operation)?.step ?? "read",
      expiresAt: Number.isFinite(expiresAt) ? expiresAt : null,
      resultRetentionMs: this.#retention.resultMs,
    };
    // Where it may have been called somebody decides about it, who may want it to be sent again.
    const { look_at: look_at_unknown } = retentionArgs(retentionOf({ ...kept, state: "unknown" }));
    const retention = { ...retentionArgs(retentionOf({ ...kept, state })), look_at_unknown };
    const args = { ...this.#args(queue), id, now, state, reason, unmade, ...retention };
    return (await ABANDON.run(this.#redis, [key], args)) as string;
  }

  /** A decision about an `unknown` job. `done`, `missing`, or the other state that it is in. */
  async settle(
    queue: QueueName,
    id: string,
    state: JobState,
    decision: string,
    now: number,
    retention: Retention,
    entry: AuditEntry,
  ): Promise<string> {
    const kept = retentionArgs(retention);
    const args = { ...this.#args(queue), id, now, state, decision, ...kept, entry: auditText(entry) };
    return (await SETTLE.run(this.#redis, [recordKey(queue, id)], args)) as string;
  }

  /** Gives a failed job its attempts back; it has to be queued then. `done`, `missing`, or the other state it is in. */
  async revive(queue: QueueName, id: string, decision: string, now: number, entry: AuditEntry): Promise<string> {
    const args = { prefix: queuePrefix(queue), id, now, decision, entry: auditText(entry) };
    return (await REVIVE.run(this.#redis, [recordKey(queue, id)], args)) as string;
  }

  /** A job that waits for its own backoff is due now; its entry in the queue has to follow. */
  async promote(queue: QueueName, id: string, decision: string, now: number, entry: AuditEntry): Promise<Promotion> {
    const args = { prefix: queuePrefix(queue), now, decision, entry: auditText(entry) };
    return (await PROMOTE.run(this.#redis, [recordKey(queue, id)], args)) as Promotion;
  }

  /**
   * Ends jobs whose deadline came while nobody took them, destroys sealed values that are kept no longer, and packs the records
   * of which nothing else is kept.
   */
  async reap(queue: QueueName, now: number): Promise<Reaped> {
    // Mostly nothing is due, and this costs least.
    const [, first] = await this.#redis.zrange(dueKey(queue), "0", "0", "WITHSCORES");
    if (first === undefined || Number(first) > now) {
      return { expired: [], parked: [], unanswered: [], spent: [], more: false };
    }
    const result_retention = this.#retention.resultMs;
    const archives = this.#retention.archives === true;
    const how = { result_retention, now, most: REAP_AT_ONCE, again: LOOK_AGAIN_MS, archives, step: newStep() };
    // Its answer may be large, so that only the last one is kept.
    const keys = [dueKey(queue), `${queuePrefix(queue)}reaped`];
    const reply = (await REAP.run(this.#redis, keys, { ...this.#args(queue), ...how })) as [
      string[],
      string[],
      number,
      string[],
      string[],
    ];
    const [flat, atRest, looked, unanswered, spent] = reply;
    await this.#pack(queue, atRest, now);
    const ended = Array.from({ length: flat.length / 3 }, (_, index) => ({
      id: flat[3 * index] ?? "",
      text: flat[3 * index + 1] ?? "",
      state: flat[3 * index + 2] as ExpiredState,
    }));
    const expired = ended.flatMap(({ id, text, state }) => (text === "" ? [] : [{ id, job: unpackJob(text), state }]));
    const parked = ended.flatMap(({ id, text }) => (text === "" ? [id] : []));
    return { expired, parked, unanswered, spent, more: looked === REAP_AT_ONCE };
  }

  /** The sealed result goes, if it is still that one. */
  async destroyPersonal(queue: QueueName, id: string, sealed: string): Promise<void> {
    await DESTROY_PERSONAL.run(this.#redis, [recordKey(queue, id)], { sealed });
  }

  /** The number of jobs with something due, and since when the longest, in ms: to watch the reaper. */
  async overdue(queue: QueueName, now: number): Promise<{ readonly count: number; readonly oldestMs: number }> {
    const [count, [, oldest]] = await Promise.all([
      this.#redis.zcount(dueKey(queue), "-inf", now),
      this.#redis.zrange(dueKey(queue), "0", "0", "WITHSCORES"),
    ]);
    return { count, oldestMs: count === 0 ? 0 : now - Number(oldest) };
  }

  /** What could not be packed, or was changed meanwhile, stays as it is. */
  async #pack(queue: QueueName, ids: readonly string[], now: number): Promise<void> {
    const { recordMs, archives = false } = this.#retention;
    const args = { prefix: queuePrefix(queue), now, retention: recordMs, archives };
    const stored = await this.fieldsOfMany(queue, ids);
    const all = ids.flatMap((id, index) => {
      const fields = stored[index] ?? {};
      const packed = packRecord(id, fields, this.#shortValue);
      if (packed === null) return [];
      const { updated = "", codes = null, replaced = null } = fields;
      return [{ key: recordKey(queue, id), row: { updated, codes, replaced, pieces: withNuls(packed) } }];
    });
    for (let from = 0; from < all.length; from += PACK_AT_ONCE) {
      const some = all.slice(from, from + PACK_AT_ONCE);
      await PACK.run(
        this.#redis,
        some.map(({ key }) => key),
        args,
        some.map(({ row }) => row),
      );
    }
  }

  #args(queue: QueueName) {
    return { prefix: queuePrefix(queue), channel: SETTLED_CHANNEL, retention: this.#retention.recordMs };
  }
}

function creationArgs(queue: QueueName, job: NewJob, judged: readonly string[] | null) {
  const { id, expiresAt, digest, input, createdAt, operation, subject, consent, parent, ticket } = job;
  return {
    ...{
      id,
      prefix: queuePrefix(queue),
      bull: bullmqPrefix(queue),
      deadline: expiresAt,
      digest,
      job: packJob(job),
      input,
      created: createdAt,
    },
    ...{ operation, subject, reuses: judged !== null, judged: `,${(judged ?? []).join(",")},` },
    entry: consent === null ? null : auditText(consent),
    parent: parent ?? null,
    ticket: ticket ?? null,
  };
}
