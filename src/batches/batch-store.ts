import { ErrorCode, SatyapanError } from "../base/error.ts";
import { isRead, UNREAD, type Unread } from "../base/unread.ts";
import { personArgs, personPlace } from "../flows/person-place.ts";
import { type AuditEntry, auditText } from "../privacy/audit/entry.ts";
import { queuePrefix, type QueueName } from "../queues/names.ts";
import type { RetentionTimes } from "../records/settings.ts";
import type { RowOf } from "../redis/script.ts";
import type { RedisClient } from "../redis/connection.ts";
import { type Batch, type BatchTarget, type BatchTerms, packTerms, parseBatch } from "./batch.ts";
import type { BatchState } from "./batch-state.ts";
import type { ChunkKind } from "./chunks.ts";
import { unfenced } from "./fenced.ts";
import { allBatchesKey, batchKey, epochKey, openBatchesKeys, overBatchesKey, tenantWeightsKey } from "./keys.ts";
import { countBytes, type RowCounts } from "./row-state.ts";
import * as scripts from "./scripts/scripts.ts";
import { repliesOf } from "../redis/replies.ts";

export interface Committed {
  /** `there`: the same was submitted before, as that batch; `gone`: it took so long that its rows are no longer kept. */
  readonly kind: "done" | "gone" | "there" | "conflict";
  readonly id: string;
}

/** The rows of a batch as they are counted, and as they are: the same, or something was miscounted. */
export interface Audit {
  readonly rows: number;
  readonly counts: RowCounts;
  readonly bytes: RowCounts;
  readonly foreign: number;
  /** When it was last written to, ms, as text. */
  readonly updated: string;
}

/** Batches in Redis. Every step is one round trip; what only the feeder may do takes its epoch, and throws FencedError. */
export class BatchStore {
  readonly #redis: RedisClient;
  readonly #retention: RetentionTimes;

  constructor(redis: RedisClient, retention: RetentionTimes) {
    this.#redis = redis;
    this.#retention = retention;
  }

  /** A batch whose rows are to come. Nothing of it stays if they do not. */
  async begin(queue: QueueName, id: string, terms: BatchTerms, now: number): Promise<void> {
    const key = batchKey(queue, id);
    await repliesOf(this.#redis.multi().hset(key, packTerms(terms, now)).pexpire(key, scripts.CHECKING_MS));
  }

  /**
   * The states of the next rows; those that wait and are about a person with their places. For each of these, which other row
   * has its person, or which onboarding: it is `duplicate` then; null: none. Null where the batch is gone.
   */
  async append(
    queue: QueueName,
    id: string,
    target: BatchTarget,
    next: { readonly offset: number; readonly bytes: string; readonly now: number },
    rows: readonly RowOf<typeof scripts.APPEND>[],
  ): Promise<(string | null)[] | null> {
    const { offset, bytes, now } = next;
    const persons = personArgs(target.name, this.#retention, now);
    const args = { prefix: queuePrefix(queue), id, offset, bytes, checking_ms: scripts.CHECKING_MS, ...persons };
    const reply = (await scripts.APPEND.run(this.#redis, [batchKey(queue, id)], args, rows)) as string | string[];
    return typeof reply === "string" ? null : reply.map((holder) => (holder === "" ? null : holder));
  }

  /** For each of these persons, by subject, who has it, as `append` says it: nothing is changed. */
  async holders(
    queue: QueueName,
    target: BatchTarget,
    subjects: readonly string[],
    now: number,
  ): Promise<(string | null)[]> {
    const args = { prefix: queuePrefix(queue), ...personArgs(target.name, this.#retention, now) };
    const reply = await scripts.HOLDERS.run(this.#redis, [batchKey(queue, "")], args, subjects.map(personPlace));
    return (reply as string[]).map((holder) => (holder === "" ? null : holder));
  }

  /** Chunks of a batch that comes in. */
  async writeChunk(queue: QueueName, id: string, chunk: number, sealed: ReadonlyMap<ChunkKind, Buffer>): Promise<void> {
    const pipeline = this.#redis.pipeline();
    for (const [kind, bytes] of sealed) {
      const key = `${batchKey(queue, id)}:${kind}`;
      pipeline.hset(key, String(chunk), bytes).pexpire(key, scripts.CHECKING_MS);
    }
    await repliesOf(pipeline);
  }

  /** All rows are in: from now on it runs. `knownAs`: a keyed digest of what makes it the same; `digest`: of its content. */
  async commit(
    batch: { readonly queue: QueueName; readonly id: string; readonly rows: number; readonly chunks: number },
    known: { readonly as: string; readonly digest: string },
    created: number,
    entry: AuditEntry,
  ): Promise<Committed> {
    const { queue, id, rows, chunks } = batch;
    const args = {
      ...{ prefix: queuePrefix(queue), id, rows, chunks, known_as: `batch:as:${known.as}`, digest: known.digest },
      ...{ state: "ready", created, now: created, entry: auditText(entry) },
    };
    const reply = (await scripts.COMMIT.run(this.#redis, [batchKey(queue, id)], args)) as string[];
    const [kind = "", other = id] = reply;
    return { kind: kind === "again" ? "done" : (kind as Committed["kind"]), id: other };
  }

  /** What came in of it goes; a batch that runs stays. */
  async discard(queue: QueueName, id: string): Promise<void> {
    await scripts.DISCARD.run(this.#redis, [batchKey(queue, id)], {});
  }

  /** The batch that the same content or own id was submitted as; null: none. */
  async knownAs(queue: QueueName, as: string): Promise<string | null> {
    return await this.#redis.get(`${queuePrefix(queue)}batch:as:${as}`);
  }

  async digestOf(queue: QueueName, id: string): Promise<string | null> {
    return await this.#redis.hget(batchKey(queue, id), "digest");
  }

  /** Throws SatyapanError `unreadable` for one of a newer version. */
  async get(queue: QueueName, id: string): Promise<Batch | null> {
    const [batch = null] = await this.getMany(queue, [id]);
    if (batch !== UNREAD) return batch;
    const message = `batch ${id} was submitted by a newer version, and this one cannot read it: update this one`;
    throw new SatyapanError(ErrorCode.UNREADABLE, message);
  }

  /** In one round trip; null where there is none. */
  async getMany(queue: QueueName, ids: readonly string[]): Promise<(Batch | Unread | null)[]> {
    const pipeline = this.#redis.pipeline();
    for (const id of ids) pipeline.hgetall(batchKey(queue, id));
    const replies = (await repliesOf(pipeline)) as Record<string, string>[];
    return replies.map((fields, index) => parseBatch(queue, ids[index] ?? "", fields));
  }

  /** Ids, the newest first. */
  async all(queue: QueueName): Promise<string[]> {
    return await this.#redis.zrevrange(allBatchesKey(queue), 0, -1);
  }

  /** Ids of those that somebody has to look after, the oldest first. */
  async open(queue: QueueName): Promise<string[]> {
    const pipeline = this.#redis.pipeline();
    for (const key of openBatchesKeys(queue)) pipeline.zrange(key, "0", "-1", "WITHSCORES");
    const found = new Map<string, number>();
    for (const words of (await repliesOf(pipeline)) as string[][]) {
      for (let at = 0; at < words.length; at += 2) found.set(words[at] ?? "", Number(words[at + 1]));
    }
    return [...found].toSorted(([, one], [, other]) => one - other).map(([id]) => id);
  }

  async states(queue: QueueName, id: string): Promise<string> {
    return (await this.#redis.get(`${batchKey(queue, id)}:states`)) ?? "";
  }

  /** The same of some rows, `from` to `to`, from 1. */
  async statesBetween(queue: QueueName, id: string, from: number, to: number): Promise<string> {
    return await this.#redis.getrange(`${batchKey(queue, id)}:states`, from - 1, to - 1);
  }

  /** The bytes of these rows, in one round trip. */
  async statesOf(queue: QueueName, id: string, rows: readonly number[]): Promise<string[]> {
    const pipeline = this.#redis.pipeline();
    for (const row of rows) pipeline.getrange(`${batchKey(queue, id)}:states`, row - 1, row - 1);
    return (await repliesOf(pipeline)) as string[];
  }

  /** Null: it is gone, or of a newer version. One moment's, whatever goes on. */
  async audit(queue: QueueName, id: string): Promise<Audit | null> {
    const key = batchKey(queue, id);
    const replies = await repliesOf(this.#redis.multi().hgetall(key).get(`${key}:states`));
    const [fields, states] = replies as [Record<string, string>, string | null];
    const batch = parseBatch(queue, id, fields);
    if (!isRead(batch)) return null;
    const { counts, foreign } = countBytes(states ?? "");
    const { updated = "" } = fields;
    return { rows: batch.rows, counts: batch.counts, bytes: counts, foreign, updated };
  }

  /** Ids of those that ended in the last hour, each with `Audit.updated`. */
  async over(queue: QueueName, now: number): Promise<ReadonlyMap<string, string>> {
    const ids = await this.#redis.zrangebyscore(overBatchesKey(queue), now - scripts.OVER_MS, "+inf");
    const pipeline = this.#redis.pipeline();
    for (const id of ids) pipeline.hget(batchKey(queue, id), "updated");
    const replies = (await repliesOf(pipeline)) as (string | null)[];
    return new Map(replies.map((updated, index) => [ids[index] ?? "", updated ?? ""]));
  }

  async tenantWeights(queue: QueueName): Promise<ReadonlyMap<string, number>> {
    const weights = await this.#redis.hgetall(tenantWeightsKey(queue));
    return new Map(Object.entries(weights).map(([tenant, weight]) => [tenant, Number(weight)]));
  }

  async setTenantWeight(queue: QueueName, tenant: string, weight: number): Promise<void> {
    await this.#redis.hset(tenantWeightsKey(queue), tenant, String(weight));
  }

  /** Whoever asks is the feeder from now on, and the one before it writes nothing any more. */
  async nextEpoch(queue: QueueName): Promise<number> {
    return await this.#redis.incr(epochKey(queue));
  }

  /** `done`, `gone`, or the other state that it is in. With an epoch: the feeder's own decision. */
  async change(
    { queue, id }: Pick<Batch, "queue" | "id">,
    states: { readonly from: BatchState; readonly to: BatchState; readonly reason: string | null },
    now: number,
    by: { readonly entry: AuditEntry } | { readonly epoch: number },
  ): Promise<string> {
    const { from, to, reason } = states;
    const entry = "entry" in by ? auditText(by.entry) : null;
    const epoch = "epoch" in by ? by.epoch : null;
    const args = { prefix: queuePrefix(queue), epoch, from, to, reason: reason ?? "", now, entry };
    return unfenced((await scripts.CHANGE.run(this.#redis, [batchKey(queue, id)], args)) as string);
  }

  /** Why nothing of it is handed over though it goes on; null: it is again. */
  async hinder({ queue, id }: Pick<Batch, "queue" | "id">, epoch: number, obstacle: string | null): Promise<void> {
    const args = { prefix: queuePrefix(queue), epoch, obstacle };
    unfenced((await scripts.HINDER.run(this.#redis, [batchKey(queue, id)], args)) as string);
  }

  /** `gone`, or its state. */
  async setTerm(
    { queue, id }: Pick<Batch, "queue" | "id">,
    term: { readonly field: "weight" | "open_limit"; readonly value: string },
    now: number,
    entry: AuditEntry,
  ): Promise<string> {
    const args = { prefix: queuePrefix(queue), ...term, now, entry: auditText(entry) };
    return (await scripts.SET_TERM.run(this.#redis, [batchKey(queue, id)], args)) as string;
  }

  /** A row of a batch that is over goes on: somebody has to look after it again, until that has ended. */
  async reopen({ queue, id, createdAt }: Pick<Batch, "queue" | "id" | "createdAt">, epoch: number): Promise<void> {
    const args = { prefix: queuePrefix(queue), id, epoch, created: createdAt };
    unfenced((await scripts.REOPEN.run(this.#redis, [batchKey(queue, id)], args)) as string);
  }

  /** Every row has ended: `done`, `gone`, or `open` where one has not after all. */
  async close({ queue, id }: Pick<Batch, "queue" | "id">, epoch: number, to: BatchState, now: number): Promise<string> {
    const args = { prefix: queuePrefix(queue), id, epoch, to, now, retention: this.#retention.recordMs };
    return unfenced((await scripts.CLOSE_BATCH.run(this.#redis, [batchKey(queue, id)], args)) as string);
  }
}
