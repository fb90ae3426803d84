import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { Batch } from "../../src/batches/batch.ts";
import { BatchStore } from "../../src/batches/batch-store.ts";
import { type ChunkKind, type ChunkName, Chunks, placeOf } from "../../src/batches/chunks.ts";
import { rowJobId } from "../../src/batches/keys.ts";
import { RepairStore } from "../../src/batches/repair-store.ts";
import { type Reruns, runOf } from "../../src/batches/rerun.ts";
import { rowResult } from "../../src/batches/row-result.ts";
import { type RowState, rowStateOf } from "../../src/batches/row-state.ts";
import { findFlow } from "../../src/flows/flows.ts";
import { OnboardingStore } from "../../src/flows/onboarding-store.ts";
import { findOperation } from "../../src/operations/catalogue.ts";
import type { OpenInput } from "../../src/providers/call.ts";
import { openInput } from "../../src/records/sealed-input.ts";
import type { RetentionTimes } from "../../src/records/settings.ts";
import type { ClientConnections } from "../base/client-connections.ts";

/** What is kept of a row, for whoever mends it. */
export interface KeptRow {
  readonly state: RowState;
  /** How often it was mended before. */
  readonly repaired: number;
  /** The caller's own reference; null: it has none, or nobody can open it any more. */
  readonly ref: string | null;
  /** The file's own columns, masked, as results have them; null: nobody can open them any more. */
  readonly columns: Readonly<Record<string, string>> | null;
  /** Its personal values as `Secret`. Null: it is kept no more, because the batch is over and nobody can try the row again as it is. */
  readonly input: () => Promise<OpenInput | null>;
}

type Opened = Pick<ClientConnections, "redis" | "dataKeys" | "records">;

/** Rows of one batch, as they are kept now. Chunks are read one by one: rows that come in order cost little. */
export class KeptRows {
  readonly #opened: Opened;
  readonly #batch: Batch;
  readonly #reruns: Reruns;
  readonly #retention: RetentionTimes;
  readonly #chunks: Chunks;

  private constructor(opened: Opened, batch: Batch, reruns: Reruns, retention: RetentionTimes) {
    this.#opened = opened;
    this.#batch = batch;
    this.#reruns = reruns;
    this.#retention = retention;
    this.#chunks = new Chunks(opened.redis, opened.dataKeys);
  }

  static async of(opened: Opened, batch: Batch, retention: RetentionTimes): Promise<KeptRows> {
    return new KeptRows(opened, batch, await new RepairStore(opened.redis).reruns(batch.queue, batch.id), retention);
  }

  /** By row; those that the batch does not have are left out. */
  async read(rows: readonly number[]): Promise<ReadonlyMap<number, KeptRow>> {
    const { queue, id, rows: count } = this.#batch;
    const ours = rows.filter((row) => row >= 1 && row <= count);
    const bytes = await new BatchStore(this.#opened.redis, this.#retention).statesOf(queue, id, ours);
    const read = new Map<string, Promise<readonly unknown[] | null>>();
    const at = async (kind: ChunkKind, row: number): Promise<unknown> => {
      const { chunk, index }: { chunk: ChunkName; index: number } = this.#reruns.get(row) ?? placeOf(row);
      const name = `${kind}:${chunk}`;
      if (!read.has(name)) read.set(name, this.#chunks.readable(queue, id, kind, chunk));
      return (await read.get(name))?.[index] ?? null;
    };
    const kept = new Map<number, KeptRow>();
    for (const [index, row] of ours.entries()) {
      const state = rowStateOf(bytes[index] ?? "");
      if (state === undefined) continue;
      const repaired = this.#reruns.get(row)?.repaired ?? 0;
      const columns = await at("columns", row);
      const shown = rowResult({ row, state, repaired, asked_again: 0 }, columns, null);
      kept.set(row, {
        ...{ state, repaired, ref: shown.ref },
        columns: columns === null ? null : shown.columns,
        input: async () => this.#parsed(await at("in", row)) ?? (await this.#ofJob(row)),
      });
    }
    return kept;
  }

  /** What an `in` chunk holds at its place. */
  #parsed(value: unknown): OpenInput | null {
    if (!Array.isArray(value)) return null;
    const parsed = this.#owner.input.safeParse(value[1]);
    return parsed.success ? parsed.data : null;
  }

  /** Of a row that failed its job, or onboarding, keeps the input for a while: somebody may have it tried again. */
  async #ofJob(row: number): Promise<OpenInput | null> {
    const { redis, records, dataKeys } = this.#opened;
    const { queue, id, target } = this.#batch;
    const job = rowJobId(id, row, runOf(this.#reruns.get(row)));
    const sealed =
      target.kind === "flow"
        ? (await new OnboardingStore(redis, this.#retention).get(queue, job))?.input
        : (await records.fields(queue, job))?.["input"];
    if (sealed === undefined || sealed === null) return null;
    try {
      return openInput(await dataKeys.opener([sealed]), this.#owner, job, sealed);
    } catch (error) {
      if (error instanceof SatyapanError && LOST.has(error.code)) return null;
      throw error;
    }
  }

  get #owner() {
    const { kind, name } = this.#batch.target;
    return kind === "flow" ? findFlow(name) : findOperation(name);
  }
}

const LOST: ReadonlySet<string> = new Set([ErrorCode.SHREDDED, ErrorCode.UNREADABLE]);
