import { z } from "zod";
import { ErrorCode, SatyapanError } from "../src/base/error.ts";
import type { BatchStore } from "../src/batches/batch-store.ts";
import { CHUNK_ROWS, type ChunkName, firstRowOf, placeOf } from "../src/batches/chunks.ts";
import type { OpenInputs } from "../src/batches/open-inputs.ts";
import { packHolder, samePersonAs } from "../src/batches/person-holder.ts";
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
  readonly inputs: Pick<OpenInputs, "of">;
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

/** What an `in` chunk holds at a row's place: whom it is about, its input. */
const Stored = z.tuple([z.string().nullable(), z.unknown()]);
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
 * Hands the next waiting rows of a batch over: each becomes what it runs, in the step that says so. At most `most`, of one chunk.
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
  const made = await makeAll(deps, hand, rows, maker, ended);
  for (let from = 0; from < made.length; from += AT_ONCE) {
    const some = made.slice(from, from + AT_ONCE);
    const answers = await maker.hand(some);
    if (typeof answers === "string") return { taken, ended, isOver: true };
    for (const [index, answer] of answers.entries()) {
      const one = some[index];
      if (one === undefined) continue;
      if (answer.kind === "taken") taken.push(one);
      // It was read as one that waits: this very step took it before, and was sent again because its answer was cut off.
      if (answer.kind === "no") hand.isStale = true;
      if (answer.kind === "held") ended.set(one.row, sameAs(answer.by, batch.id));
      if (answer.kind === "conflict")
        ended.set(one.row, endedAs("failed", ErrorCode.ID_CONFLICT, "something else has its id"));
    }
  }
  hand.handed(rows);
  return { taken, ended, isOver: false };
}

function sameAs(holder: string, own: string): RowSight {
  return endedAs("duplicate", "same-person", samePersonAs(holder, own), packHolder(holder));
}

/**
 * The numbers of the next rows that wait, all of one chunk; moves the cursor over chunks that have none. Those whose person did not
 * answer come when no other waits.
 */
async function waitingRows(store: TakeDeps["store"], hand: FeederBatch, most: number): Promise<number[]> {
  const { queue, id, rows } = hand.batch;
  const behind = new Set(hand.again);
  while (hand.cursor <= rows) {
    const last = Math.min(firstRowOf(placeOf(hand.cursor).chunk) + CHUNK_ROWS - 1, rows);
    const states = await store.statesBetween(queue, id, hand.cursor, last);
    const found: number[] = [];
    for (let index = 0; index < states.length && found.length < most; index += 1)
      if (states[index] === ROW_BYTES.waiting && !behind.has(hand.cursor + index)) found.push(hand.cursor + index);
    if (found.length > 0) return found;
    // Gone, or shorter than it was said to be: there is nothing to hand over.
    if (states.length === 0) return [];
    hand.cursor = last + 1;
  }
  return hand.again.slice(0, most);
}

/**
 * A row whose input cannot be had any more ends here, with the reason. Throws SatyapanError `unreadable` where there is one, and this
 * version does not know what it means: another does.
 */
async function makeAll<Made extends { readonly row: number }>(
  deps: TakeDeps,
  hand: FeederBatch,
  rows: readonly number[],
  { schema, make }: Maker<Made>,
  ended: Map<number, RowSight>,
): Promise<Made[]> {
  const inputs = await inputsOf(deps, hand, rows);
  // Only then: a worker that cannot open the rows must not make the key that seals their jobs for those who can.
  const sealer = await deps.dataKeys.sealer(batchScope(hand.batch.id));
  return rows.flatMap((row): Made[] => {
    const { chunk, index } = inputPlace(hand, row);
    const values = inputs.get(chunk) ?? null;
    const value = values === null || values instanceof SatyapanError ? null : (values[index] ?? null);
    if (value === null) {
      const why = values instanceof SatyapanError ? values : null;
      const reason = why?.message ?? "its input is not what was stored";
      ended.set(row, endedAs("failed", why?.code ?? ErrorCode.UNREADABLE, reason));
      return [];
    }
    const read = Stored.safeParse(value);
    const parsed = schema.safeParse(read.data?.[1]);
    if (read.success && parsed.success) return [make({ row, subject: read.data[0], input: parsed.data }, sealer)];
    const message = `the input of row ${row} does not fit ${hand.batch.target.name} of this version`;
    throw new SatyapanError(ErrorCode.UNREADABLE, message);
  });
}

/** Where a row's input lies: with those of its file, or of what mended it. */
function inputPlace(hand: FeederBatch, row: number): { readonly chunk: ChunkName; readonly index: number } {
  return hand.reruns.get(row) ?? placeOf(row);
}

/** The values of these rows' chunks in clear, or why nobody can have them any more. Throws what passes. */
async function inputsOf(
  { inputs }: TakeDeps,
  hand: FeederBatch,
  rows: readonly number[],
): Promise<ReadonlyMap<ChunkName, readonly unknown[] | SatyapanError | null>> {
  const read = new Map<ChunkName, readonly unknown[] | SatyapanError | null>();
  for (const chunk of new Set(rows.map((row) => inputPlace(hand, row).chunk))) {
    try {
      read.set(chunk, await inputs.of(hand.batch, chunk));
    } catch (error) {
      const isLost =
        error instanceof SatyapanError && (error.code === ErrorCode.SHREDDED || error.code === ErrorCode.UNREADABLE);
      if (!isLost) throw error;
      read.set(chunk, error);
    }
  }
  return read;
}
