import { createHash } from "node:crypto";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { BatchRow } from "../../src/batches/batch-row.ts";
import { BatchStore } from "../../src/batches/batch-store.ts";
import { type BatchTerms, type BatchView, viewOf } from "../../src/batches/batch.ts";
import { CHUNK_ROWS, Chunks, type ChunkKind } from "../../src/batches/chunks.ts";
import { rowJobId } from "../../src/batches/keys.ts";
import { packHolder, samePersonAs } from "../../src/batches/person-holder.ts";
import { NOTHING_KEPT } from "../../src/batches/row-end.ts";
import { type KeptResult, packResult } from "../../src/batches/row-result.ts";
import { ROW_BYTES } from "../../src/batches/row-state.ts";
import type { Settings } from "../../src/config/settings.ts";
import { personPlace } from "../../src/flows/person-place.ts";
import type { QueueName } from "../../src/queues/names.ts";
import { checkOwnId, type Ids } from "../../src/records/ids.ts";
import { inputDigest } from "../../src/secrets/subject-key.ts";
import type { Actor } from "../base/actor.ts";
import type { ClientConnections, UseRedis } from "../base/client-connections.ts";
import { batchEntry } from "./batch-entry.ts";
import { queueOfTarget } from "./batch-terms.ts";

export interface BatchIntakeDeps {
  readonly use: UseRedis;
  readonly settings: Settings;
  readonly ids: Ids;
  readonly actor: Actor;
}

export interface AcceptBatchOptions {
  /** The caller's own id, or null: its content says whether it is the same. */
  readonly ownId: string | null;
  /** Called after each chunk with the number of rows that are in. */
  readonly onAccepted?: ((rows: number) => void) | undefined;
  /** Aborted, nothing is accepted: SatyapanError `interrupted`. */
  readonly signal?: AbortSignal | undefined;
}

/** A row's number has at most seven digits: with them its job's id makes a `client_ref_id`. */
const MOST_ROWS = 9_999_999;

/** One batch on its way in. */
interface Coming {
  readonly id: string;
  readonly queue: QueueName;
  readonly terms: BatchTerms;
  readonly digest: RowsDigest;
  rows: number;
  chunks: number;
}

/**
 * Takes a file's rows in as one batch: all or none. They lie in Redis chunk by chunk while it is `checking`, which nobody runs and
 * which goes by itself where its submitter died; one last step makes it a batch. Memory does not grow with the rows.
 */
export class BatchIntake {
  readonly #deps: BatchIntakeDeps;

  constructor(deps: BatchIntakeDeps) {
    this.#deps = deps;
  }

  /**
   * `rows` in order, from 1, none left out. The batch, marked `duplicate` where the same content (or own id) was submitted before.
   * Throws SatyapanError `id-conflict` for an own id that names other rows.
   */
  async accept(
    terms: BatchTerms,
    rows: AsyncIterable<BatchRow> | Iterable<BatchRow>,
    options: AcceptBatchOptions,
  ): Promise<BatchView> {
    const { use, ids, actor } = this.#deps;
    if (options.ownId !== null) checkOwnId(options.ownId);
    const queue = queueOfTarget(terms.target);
    const coming: Coming = {
      id: ids.batch(),
      queue,
      terms,
      digest: new RowsDigest(this.#deps.settings, terms),
      rows: 0,
      chunks: 0,
    };
    return await use(async (opened) => {
      const store = new BatchStore(opened.redis, this.#deps.settings.retention);
      try {
        await store.begin(queue, coming.id, terms, actor.now());
        for await (const chunk of inChunks(rows)) {
          if (options.signal?.aborted === true) throw interrupted();
          await this.#take(opened, store, coming, chunk);
          options.onAccepted?.(coming.rows);
        }
        if (coming.rows === 0) throw new SatyapanError(ErrorCode.BAD_INPUT, "the batch has no rows");
        if (options.signal?.aborted === true) throw interrupted();
        return await this.#commit(store, coming, options.ownId);
      } catch (error) {
        // Where Redis is away it goes by itself.
        await store.discard(queue, coming.id).catch(() => {});
        throw error;
      }
    });
  }

  async #take(
    { redis, dataKeys }: ClientConnections,
    store: BatchStore,
    coming: Coming,
    rows: readonly BatchRow[],
  ): Promise<void> {
    const { id, queue, terms, digest } = coming;
    const chunk = coming.chunks;
    for (const [index, { row }] of rows.entries()) {
      if (row !== coming.rows + index + 1)
        throw new TypeError(`row ${row} came where ${coming.rows + index + 1} was due`);
    }
    if (coming.rows + rows.length > MOST_ROWS) {
      throw new SatyapanError(ErrorCode.BAD_INPUT, `a batch has at most ${MOST_ROWS} rows: divide the file`);
    }
    for (const row of rows) digest.add(row);
    const bytes = rows.map(({ state }) => ROW_BYTES[state]).join("");
    const persons = rows.flatMap(({ row, subject, state }) =>
      state === "waiting" && subject !== null ? [{ at: row, ...personPlace(subject) }] : [],
    );
    const next = { offset: coming.rows, bytes, now: this.#deps.actor.now() };
    const holders = await store.append(queue, id, terms.target, next, persons);
    if (holders === null) throw goneMeanwhile();
    const held = new Map(persons.flatMap(({ at }, index) => (holders[index] ? [[at, holders[index]] as const] : [])));
    const chunks = new Chunks(redis, dataKeys);
    const sealed = new Map<ChunkKind, Buffer>();
    const waits = ({ row, state }: BatchRow): boolean => state === "waiting" && !held.has(row);
    const inputs = rows.map((row) => (waits(row) ? [row.subject, row.input] : null));
    sealed.set("in", await chunks.seal(id, "in", chunk, inputs));
    sealed.set(
      "columns",
      await chunks.seal(
        id,
        "columns",
        chunk,
        rows.map(({ ref, columns }) => [ref, columns]),
      ),
    );
    const out = rows.map((row) => (waits(row) ? null : packResult(leftOut(row, held.get(row.row) ?? null, id))));
    if (out.some((kept) => kept !== null)) sealed.set("out", await chunks.seal(id, "out", chunk, out));
    await store.writeChunk(queue, id, chunk, sealed);
    coming.rows += rows.length;
    coming.chunks += 1;
  }

  async #commit(
    store: BatchStore,
    { id, queue, rows, chunks, digest }: Coming,
    ownId: string | null,
  ): Promise<BatchView> {
    const { actor } = this.#deps;
    const content = digest.end();
    const now = actor.now();
    const committed = await store.commit(
      { queue, id, rows, chunks },
      { as: ownId === null ? `content:${content}` : `id:${ownId}`, digest: content },
      now,
      batchEntry(actor, now, { batch: id, event: "submit", jobs: rows }),
    );
    if (committed.kind === "gone") throw goneMeanwhile();
    if (committed.kind === "conflict") {
      const message = `id: ${ownId} names a batch of other rows (${committed.id}); choose another id`;
      throw new SatyapanError(ErrorCode.ID_CONFLICT, message);
    }
    const batch = await store.get(queue, committed.id);
    if (batch === null) throw goneMeanwhile();
    const view = viewOf(batch, now);
    return committed.kind === "there" ? { ...view, duplicate: true } : view;
  }
}

/** Keyed digest of what makes two submissions the same: what runs, and each row's input, reference and state. */
class RowsDigest {
  readonly #hash = createHash("sha256");
  readonly #settings: Settings;
  readonly #target: string;

  constructor(settings: Settings, { target, tenant }: BatchTerms) {
    this.#settings = settings;
    this.#target = target.name;
    this.#hash.update(JSON.stringify(["satyapan/batch/1", target.kind, target.name, tenant]));
  }

  add({ ref, input, state }: BatchRow): void {
    this.#hash.update(JSON.stringify([state, ref, inputDigest(this.#settings.subjectKey, this.#target, input)]));
  }

  /** 22 characters. */
  end(): string {
    return this.#hash.digest().subarray(0, 16).toString("base64url");
  }
}

/** `other`: who has its person, of another batch or of none. */
function leftOut({ reason, first }: BatchRow, other: string | null, own: string): KeptResult {
  const holder = other ?? (first === undefined ? null : rowJobId(own, first));
  if (holder === null) return { ...NOTHING_KEPT, reason: reason ?? null };
  return { ...NOTHING_KEPT, reason: samePersonAs(holder, own), result: packHolder(holder) };
}

async function* inChunks(rows: AsyncIterable<BatchRow> | Iterable<BatchRow>): AsyncGenerator<BatchRow[]> {
  let chunk: BatchRow[] = [];
  for await (const row of rows) {
    chunk.push(row);
    if (chunk.length < CHUNK_ROWS) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

function goneMeanwhile(): SatyapanError {
  const message =
    "the rows that were taken in are no longer there (Redis lost them, or it took more than a day); submit the file again";
  return new SatyapanError(ErrorCode.REDIS_UNREACHABLE, message);
}

function interrupted(): SatyapanError {
  return new SatyapanError(ErrorCode.INTERRUPTED, "the submission was stopped; nothing was accepted");
}
