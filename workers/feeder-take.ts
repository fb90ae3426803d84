import type { z } from "zod";
import { ErrorCode, SatyapanError } from "../src/base/error.ts";
import type { Batch } from "../src/batches/batch.ts";
import type { BatchStore } from "../src/batches/batch-store.ts";
import { CHUNK_ROWS, type Chunks, firstRowOf, placeOf } from "../src/batches/chunks.ts";
import { endedAs, type RowSight } from "../src/batches/row-end.ts";
import { ROW_BYTES } from "../src/batches/row-state.ts";
import type { TakeAnswer } from "../src/batches/row-store.ts";
import type { DataKeys } from "../src/privacy/keys/data-keys.ts";
import { batchScope } from "../src/privacy/sealing/data-key.ts";
import type { Sealer } from "../src/privacy/sealing/sealed-text.ts";
import type { OpenInput } from "../src/providers/call.ts";
import type { FeederBatch } from "./feeder-batch.ts";

export interface TakeDeps {
  readonly store: Pick<BatchStore, "statesBetween">;
  readonly chunks: Pick<Chunks, "read">;
  readonly dataKeys: Pick<DataKeys, "sealer">;
}

/** A row's input in clear, for this handing over alone. */
export interface OpenRow {
  readonly row: number;
  /** Keyed hash of the person; null: nobody is named. */
  readonly subject: string | null;
  readonly input: OpenInput;
}

/** What rows become: `Made`, each with the number of its row. */
export interface Maker<Made extends { readonly row: number }> {
  /** Of what runs. */
  readonly schema: z.ZodObject;
  readonly make: (open: OpenRow, sealer: Sealer) => Made;
  /** Hands some over in one step: the state in which nothing is taken, or an answer for each. */
  readonly hand: (made: readonly Made[]) => Promise<string | readonly TakeAnswer[]>;
}

/** Rows handed over in one step: some ms of Redis' time. */
const AT_ONCE = 64;

/** What came of rows that were to be handed over. */
export interface Taken<Made> {
  readonly taken: readonly Made[];
  /** They ended here. */
  readonly ended: ReadonlyMap<number, RowSight>;
  /** Nothing more is to be had of the batch now. */
  readonly isOver: boolean;
}

/**
 * Hands the next waiting rows of a batch over: each becomes what it runs, in the step that says so. At most `most`, of one chunk,
 * which is opened once.
 */
export async function takeRows<Made extends { readonly row: number }>(
  deps: TakeDeps,
  hand: FeederBatch,
  most: number,
  maker: Maker<Made>,
): Promise<Taken<Made>> {
  const { batch } = hand;
  const rows = await waitingRows(deps.store, hand, most);
  const ended = new Map<number, RowSight>();
  const taken: Made[] = [];
  if (rows.length === 0) return { taken, ended, isOver: true };
  const made = await makeAll(deps, batch, rows, maker, ended);
  for (let from = 0; from < made.length; from += AT_ONCE) {
    const some = made.slice(from, from + AT_ONCE);
    const answers = await maker.hand(some);
    if (typeof answers === "string") return { taken, ended, isOver: true };
    for (const [index, answer] of answers.entries()) {
      const one = some[index];
      if (one === undefined) continue;
      if (answer.kind === "taken") taken.push(one);
      if (answer.kind === "held") ended.set(one.row, endedAs("duplicate", "same-person", samePerson(batch, answer.by)));
      if (answer.kind === "conflict")
        ended.set(one.row, endedAs("failed", ErrorCode.ID_CONFLICT, "something else has its id"));
    }
  }
  hand.cursor = (rows.at(-1) ?? 0) + 1;
  return { taken, ended, isOver: false };
}

/** The numbers of the next rows that wait, all of one chunk; moves the cursor over chunks that have none. */
async function waitingRows(store: TakeDeps["store"], hand: FeederBatch, most: number): Promise<number[]> {
  const { queue, id, rows } = hand.batch;
  while (hand.cursor <= rows) {
    const last = Math.min(firstRowOf(placeOf(hand.cursor).chunk) + CHUNK_ROWS - 1, rows);
    const states = await store.statesBetween(queue, id, hand.cursor, last);
    const found: number[] = [];
    for (let index = 0; index < states.length && found.length < most; index += 1)
      if (states[index] === ROW_BYTES.waiting) found.push(hand.cursor + index);
    if (found.length > 0) return found;
    // Gone, or shorter than it was said to be: there is nothing to hand over.
    if (states.length === 0) return [];
    hand.cursor = last + 1;
  }
  return [];
}

/** A row whose input cannot be had any more ends here, with the reason. */
async function makeAll<Made extends { readonly row: number }>(
  deps: TakeDeps,
  batch: Batch,
  rows: readonly number[],
  { schema, make }: Maker<Made>,
  ended: Map<number, RowSight>,
): Promise<Made[]> {
  const sealer = await deps.dataKeys.sealer(batchScope(batch.id));
  const values = await inputsOf(deps, batch, placeOf(rows[0] ?? 1).chunk);
  return rows.flatMap((row): Made[] => {
    const read = Array.isArray(values) ? inputAt(values, placeOf(row).index) : null;
    const parsed = read === null ? null : schema.safeParse(read.input);
    if (read !== null && parsed?.success === true)
      return [make({ row, subject: read.subject, input: parsed.data }, sealer)];
    const why = values instanceof SatyapanError ? values : null;
    const reason = why?.message ?? "its input is not what was stored";
    ended.set(row, endedAs("failed", why?.code ?? ErrorCode.UNREADABLE, reason));
    return [];
  });
}

/** The chunk's values in clear, or why nobody can have them any more. Throws what passes. */
async function inputsOf(
  { chunks }: TakeDeps,
  { queue, id }: Batch,
  chunk: number,
): Promise<readonly unknown[] | SatyapanError | null> {
  try {
    return await chunks.read(queue, id, "in", chunk);
  } catch (error) {
    const isLost =
      error instanceof SatyapanError && (error.code === ErrorCode.SHREDDED || error.code === ErrorCode.UNREADABLE);
    if (isLost) return error;
    throw error;
  }
}

function inputAt(values: readonly unknown[], index: number): { subject: string | null; input: unknown } | null {
  const value = values[index];
  if (!Array.isArray(value)) return null;
  const [subject, input] = value as [unknown, unknown];
  return { subject: typeof subject === "string" ? subject : null, input };
}

function samePerson(batch: Batch, holder: string): string {
  const [id = "", at = ""] = holder.split("-");
  return id === batch.id ? `the same person as row ${at}` : `the same person as row ${at} of batch ${id}`;
}
