import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { Batch, BatchView } from "../../src/batches/batch.ts";
import { viewOf } from "../../src/batches/batch.ts";
import type { BatchRow } from "../../src/batches/batch-row.ts";
import { samePersonAs } from "../../src/batches/person-holder.ts";
import type { BatchCommand } from "../../src/batches/batch-state.ts";
import { BatchStore } from "../../src/batches/batch-store.ts";
import type { RowResult } from "../../src/batches/row-result.ts";
import type { RowState } from "../../src/batches/row-state.ts";
import type { FlowInputOf, FlowName } from "../../src/flows/flows.ts";
import type { Settings } from "../../src/config/settings.ts";
import type { InputOf, OperationName } from "../../src/operations/catalogue.ts";
import { appendAudit } from "../../src/privacy/audit/outbox.ts";
import { QUEUES } from "../../src/queues/names.ts";
import type { Ids } from "../../src/records/ids.ts";
import { tracePlaceOf } from "../../src/records/trace-place.ts";
import type { Actor } from "../base/actor.ts";
import type { ClientConnections, LazyConnections, UseRedis } from "../base/client-connections.ts";
import type { SubmitSpans } from "../base/submit-spans.ts";
import { type MendedRow, repairBatch, type RepairView } from "./batch-repair.ts";
import { type BatchDeed, batchEntry } from "./batch-entry.ts";
import { BatchIntake } from "./batch-intake.ts";
import { type DuplicateRow, duplicatesOf, rowsOf } from "./batch-rows.ts";
import {
  type BatchOptions,
  type BatchRuns,
  batchTerms,
  checkOpen,
  checkTenant,
  checkWeight,
  ownerOf,
  queueOfTarget,
  targetOf,
} from "./batch-terms.ts";
import { type BatchWatch, lookAtBatch, watchBatch, type WatchBatchOptions } from "./batch-watch.ts";
import { checkedRows, mendedRows, type RowsToSubmit, type RowToRepair, type RowsWishes } from "./checked-rows.ts";
import { commandBatch } from "./command-batch.ts";
import { allBatches, findBatch } from "./find-batch.ts";
import { KeptRows } from "./kept-rows.ts";
import { senders, type SeatOptions } from "./seat.ts";
import type { Sender } from "./talk.ts";

export type SubmitCheckedOptions = BatchOptions & SubmitWishes;
export type SubmitBatchOptions = SubmitCheckedOptions & RowsWishes;

interface SubmitWishes {
  /** Called after each some hundred rows with the number that are in. */
  readonly onAccepted?: (rows: number) => void;
  /** Aborted, nothing is accepted: SatyapanError `interrupted`. */
  readonly signal?: AbortSignal;
}

export interface BatchesDeps {
  readonly use: UseRedis;
  readonly connections: LazyConnections;
  readonly settings: Settings;
  readonly ids: Ids;
  readonly spans: SubmitSpans;
  readonly actor: Actor;
}

/** Files of rows as one thing: submitted, watched, changed. A batch is told by its id, the caller's own, or its name. */
export class Batches {
  readonly #deps: BatchesDeps;
  readonly #intake: BatchIntake;

  constructor(deps: BatchesDeps) {
    this.#deps = deps;
    this.#intake = new BatchIntake(deps);
  }

  /**
   * Checks these rows, and takes them in as one batch: all or none. They are gone through once, and need not be in memory. The batch,
   * marked `duplicate` where the same was submitted before. A row whose person stands in an earlier one is a `duplicate`.
   * Throws BadRowsError that names bad rows, SatyapanError `bad-input`, `id-conflict`.
   */
  async submit<Name extends FlowName>(
    rows: RowsToSubmit<FlowInputOf<Name>>,
    options: SubmitBatchOptions & { readonly flow: Name },
  ): Promise<BatchView>;
  async submit<Name extends OperationName>(
    rows: RowsToSubmit<InputOf<Name>>,
    options: SubmitBatchOptions & { readonly operation: Name },
  ): Promise<BatchView>;
  async submit(rows: RowsToSubmit<unknown>, options: SubmitBatchOptions): Promise<BatchView> {
    return await this.submitUnchecked(rows, options);
  }

  /** `submit` for names and inputs that are known only at run time; checked just the same. */
  async submitUnchecked(rows: RowsToSubmit<unknown>, options: SubmitBatchOptions): Promise<BatchView> {
    const { settings, actor } = this.#deps;
    const rules = { owner: ownerOf(targetOf(options)), settings, now: actor.now() };
    return await this.submitChecked(checkedRows(rows, rules, options), options);
  }

  /**
   * Takes rows in as one batch that were checked already, as a reader of files has them: all or none. The batch, marked `duplicate`
   * where the same was submitted before. Throws SatyapanError `bad-input`, `id-conflict`, `unknown-operation`, `unknown-flow`.
   */
  async submitChecked(
    rows: AsyncIterable<BatchRow> | Iterable<BatchRow>,
    options: SubmitCheckedOptions,
  ): Promise<BatchView> {
    const { id = null, onAccepted, signal } = options;
    const { actor } = this.#deps;
    const startedAt = actor.now();
    const wishes = { ownId: id, onAccepted, signal };
    const batch = await this.#intake.accept(batchTerms(options, actor), rows, wishes);
    if (!batch.duplicate) this.#tell(batch, startedAt);
    return batch;
  }

  /** Its rows' traces are their own, and lead to this one. */
  #tell({ id, rows }: BatchView, startedAt: number): void {
    const { spans, settings, actor } = this.#deps;
    spans.submitted(startedAt, actor.now(), 1, async () => {
      const place = tracePlaceOf(id, null, settings.tracing?.share ?? 1);
      const attributes = { "satyapan.batch": id, "satyapan.rows": rows };
      return await Promise.resolve([{ id, name: "batch", place, parentId: null, attributes }]);
    });
  }

  /**
   * Takes rows back that were rejected, failed, expired, a duplicate or skipped, and that somebody mended: they wait again, counted
   * in the same batch, which goes on where it was over. All or none; the same again changes nothing, and is marked `duplicate`.
   * Throws BadRowsError, SatyapanError `bad-input` that names rows of another state, `unknown-batch`.
   */
  async repair(batch: string, rows: readonly RowToRepair[]): Promise<RepairView> {
    const { id, target } = await this.#find(batch);
    const { settings, actor } = this.#deps;
    const partial = rows.filter(({ ref, columns }) => ref === undefined || columns === undefined);
    const kept = await (await this.kept(id)).read(partial.map(({ row }) => row));
    const rules = { owner: ownerOf(target), settings, now: actor.now() };
    return await this.repairChecked(id, mendedRows(rows, rules, kept));
  }

  /** `repair` for rows that were checked already, as a reader of files has them. */
  async repairChecked(batch: string, rows: readonly MendedRow[]): Promise<RepairView> {
    const found = await this.#find(batch);
    const came = await this.#deps.use(async (opened) => await repairBatch(opened, this.#deps, found, rows));
    const view = { ...(await this.show(found.id)), mended: came.mended, mended_before: came.before };
    return came.mended === 0 ? { ...view, duplicate: true } : view;
  }

  /** What is kept of this batch's rows, for whoever mends some of them. */
  async kept(batch: string): Promise<KeptRows> {
    const found = await this.#find(batch);
    const { retention } = this.#deps.settings;
    return await this.#deps.use(async (opened) => await KeptRows.of(opened, found, retention));
  }

  /**
   * For each of these persons (`BatchRow`'s `subject`), why a row would be a `duplicate` that came in now: which row of a batch has the
   * person, or which onboarding; null: none. Nothing is changed. Throws SatyapanError `unknown-operation`, `unknown-flow`.
   */
  async holders(runs: BatchRuns, subjects: readonly string[]): Promise<(string | null)[]> {
    const target = targetOf(runs);
    const { actor } = this.#deps;
    const holders = await this.#use(
      async (store) => await store.holders(queueOfTarget(target), target, subjects, actor.now()),
    );
    return holders.map((holder) => (holder === null ? null : samePersonAs(holder, null)));
  }

  /** Every batch that is kept, the newest first. */
  async list(): Promise<BatchView[]> {
    const { actor } = this.#deps;
    return await this.#use(async (store) => {
      const batches = await Array.fromAsync(allBatches(store));
      return batches.toSorted((a, b) => b.createdAt - a.createdAt).map((batch) => viewOf(batch, actor.now()));
    });
  }

  /** Throws SatyapanError `unknown-batch`. */
  async show(batch: string): Promise<BatchView> {
    return viewOf(await this.#find(batch), this.#deps.actor.now());
  }

  /** No more rows are handed over, and those that were never called come back. What is called ends as it ends. */
  async pause(batch: string, reason?: string): Promise<BatchView> {
    return await this.#command(batch, "pause", reason);
  }

  /** Goes on, also after it stopped by itself: that is counted anew from here on. */
  async resume(batch: string): Promise<BatchView> {
    return await this.#command(batch, "resume");
  }

  /** Rows that were not called are `cancelled`, for good. What is called ends as it ends. */
  async cancel(batch: string, reason?: string): Promise<BatchView> {
    return await this.#command(batch, "cancel", reason);
  }

  /** Its share against its tenant's other batches, from now on. */
  async setWeight(batch: string, weight: number): Promise<BatchView> {
    checkWeight(weight);
    const { actor } = this.#deps;
    const found = await this.#find(batch);
    const term = { field: "weight", value: String(weight) } as const;
    await this.#use(
      async (store) => await store.setTerm(found, term, actor.now(), this.#entry(found.id, "weight", null)),
    );
    return await this.show(found.id);
  }

  /** The most challenges that are open at once from now on; null: any number. Those that are open stay. Only of a flow. */
  async open(batch: string, most: number | null): Promise<BatchView> {
    if (most !== null) checkOpen(most);
    const { actor } = this.#deps;
    const found = await this.#find(batch);
    if (found.target.kind === "operation") {
      throw new SatyapanError(ErrorCode.BAD_INPUT, `batch ${found.id} runs an operation: only a flow awaits codes`);
    }
    const term = { field: "open_limit", value: most === null ? "" : String(most) } as const;
    await this.#use(
      async (store) => await store.setTerm(found, term, actor.now(), this.#entry(found.id, "open", most)),
    );
    return await this.show(found.id);
  }

  /** A tenant's share against the others', in all queues. */
  async setTenantWeight(tenant: string, weight: number): Promise<void> {
    checkTenant(tenant);
    checkWeight(weight);
    await this.#use(async (store, { redis }) => {
      for (const queue of QUEUES) {
        await appendAudit(redis, queue, [this.#entry(`tenant:${tenant}`, "weight", null)]);
        await store.setTenantWeight(queue, tenant, weight);
      }
    });
  }

  /** What became of each row, in the file's order; `only` of these states. Some hundred rows at a time are in memory. */
  async *results(batch: string, options: { readonly only?: readonly RowState[] } = {}): AsyncGenerator<RowResult> {
    const found = await this.#find(batch);
    const opened = await this.#deps.use(async (connections) => {
      await appendAudit(connections.redis, found.queue, [this.#entry(found.id, "results", null)]);
      return await Promise.resolve(connections);
    });
    yield* rowsOf(opened, found, options.only);
  }

  /** The rows that are not called because another has their person, in the file's order; `counts.duplicate` says how many. */
  async *duplicates(batch: string): AsyncGenerator<DuplicateRow> {
    const { use } = this.#deps;
    const found = await this.#find(batch);
    const opened = await use(async (connections) => await Promise.resolve(connections));
    yield* duplicatesOf(rowsOf(opened, found, ["duplicate"]));
  }

  /** The batch as it goes on, whenever something of it changed; ends with it, or when `signal` aborts. A look reads no row. */
  async *watch(batch: string, options: WatchBatchOptions = {}): AsyncGenerator<BatchWatch> {
    const { id } = await this.#find(batch);
    yield* watchBatch(async () => await this.#look(id), this.#deps.actor.now, options);
  }

  /**
   * The senders of a batch whose codes are awaited, one after the other, for one operator of several: each is talked to by one at a time.
   * Ends with the batch.
   */
  async *seat(batch: string, options: SeatOptions = {}): AsyncGenerator<Sender, void> {
    yield* senders(this.#deps, await this.#find(batch), options);
  }

  async #command(text: string, command: BatchCommand, reason?: string): Promise<BatchView> {
    return await commandBatch(async (work) => await this.#use(work), this.#deps.actor, text, command, reason);
  }

  async #look(id: string): Promise<BatchWatch> {
    const { actor } = this.#deps;
    const batch = await this.#find(id);
    return await this.#use(async (_store, opened) => await lookAtBatch(opened, batch, actor.now()));
  }

  async #find(text: string): Promise<Batch> {
    return await this.#use(async (store) => await findBatch(store, text));
  }

  async #use<T>(work: (store: BatchStore, opened: ClientConnections) => Promise<T>): Promise<T> {
    const { use, settings } = this.#deps;
    return await use(async (opened) => await work(new BatchStore(opened.redis, settings.retention), opened));
  }

  #entry(batch: string, event: BatchDeed["event"], jobs: number | null) {
    const { actor } = this.#deps;
    return batchEntry(actor, actor.now(), { batch, event, jobs });
  }
}
