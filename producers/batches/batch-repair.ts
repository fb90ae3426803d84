import { assertNever } from "../../src/base/assert-never.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { BatchRow } from "../../src/batches/batch-row.ts";
import type { Batch, BatchView } from "../../src/batches/batch.ts";
import { CHUNK_ROWS, Chunks, placeOf } from "../../src/batches/chunks.ts";
import { mendedChunk, rerunPlace } from "../../src/batches/rerun.ts";
import { type RepairAnswer, RepairStore } from "../../src/batches/repair-store.ts";
import { codeIn } from "../../src/batches/row-result.ts";
import { REPAIRABLE, type RowState } from "../../src/batches/row-state.ts";
import type { Ids } from "../../src/records/ids.ts";
import type { Actor } from "../base/actor.ts";
import type { ClientConnections } from "../base/client-connections.ts";
import { batchEntry } from "./batch-entry.ts";

/** A row of a batch, mended: checked anew, and all of it. What is kept of it `Batches.kept` gives. */
export interface MendedRow extends Pick<BatchRow, "row" | "ref" | "subject" | "input" | "columns"> {
  /** How often it was mended before, as the results say it: a row that was since is left as it is. */
  readonly repaired: number;
}

/** What came of a repair, and how the batch stands. */
export interface RepairView extends BatchView {
  /** Rows that wait again. */
  readonly mended: number;
  /** Rows that were mended before, by this file or another: nothing was changed. Where all were, the view is marked `duplicate`. */
  readonly mended_before: number;
}

/** In one step of Redis, some ten µs each. */
export const MOST_MENDED = 10_000;
/** Staged values go by themselves after a day: whoever loses them once was asleep, or Redis lost them. */
const TRIES = 3;
const NAMED = 10;

interface Repaired {
  readonly mended: number;
  readonly before: number;
}

interface Sealed {
  readonly chunks: ReadonlyMap<string, Buffer>;
  readonly rows: readonly { readonly at: number; readonly repaired: number; readonly place: string }[];
}

/** Takes mended rows back into their batch, all or none; the same again changes nothing. Throws SatyapanError `bad-input`. */
export async function repairBatch(
  { redis, dataKeys }: ClientConnections,
  { ids, actor }: { readonly ids: Ids; readonly actor: Actor },
  batch: Batch,
  rows: readonly MendedRow[],
): Promise<Repaired> {
  checkRows(batch, rows);
  const repairs = new RepairStore(redis);
  const repair = ids.batch();
  const { queue, id } = batch;
  const chunks = new Chunks(redis, dataKeys);
  const codes = await codesOf(chunks, batch, rows);
  const sealed = await seal(chunks, batch, repair, rows);
  const asked = sealed.rows.map((row) => ({ ...row, code: codes.get(row.at) ?? null }));
  try {
    for (let tries = 0; tries < TRIES; tries++) {
      await repairs.stage(queue, id, repair, sealed.chunks);
      const now = actor.now();
      const entry = batchEntry(actor, now, { batch: id, event: "repair", jobs: rows.length });
      const answer = await repairs.commit(batch, repair, sealed.chunks.size / 2, asked, now, entry);
      if (answer.kind !== "lost") return cameOf(answer, batch, rows.length);
    }
    throw new SatyapanError(ErrorCode.REDIS_UNREACHABLE, "Redis loses what is to be taken in; try again");
  } finally {
    // Where Redis is away it goes by itself.
    await repairs.discard(queue, id, repair).catch(() => {});
  }
}

function cameOf(answer: Exclude<RepairAnswer, { kind: "lost" }>, batch: Batch, rows: number): Repaired {
  switch (answer.kind) {
    case "done":
      return { mended: rows - answer.before, before: answer.before };
    case "before":
      return { mended: 0, before: answer.before };
    case "refused":
      throw refusedRows(batch, answer.rows);
    case "state":
      throw bad(`batch ${batch.id} is ${answer.state}: it takes no rows back`);
    case "gone":
      throw new SatyapanError(ErrorCode.UNKNOWN_BATCH, `batch ${batch.id} is no longer kept`);
    default:
      return assertNever(answer, "answer to a repair");
  }
}

function checkRows({ id, rows: count }: Batch, rows: readonly MendedRow[]): void {
  if (rows.length === 0) throw bad("no row is mended");
  if (rows.length > MOST_MENDED)
    throw bad(`${rows.length} rows are too many at once: divide them, at most ${MOST_MENDED} each`);
  const seen = new Set<number>();
  for (const { row } of rows) {
    if (!Number.isInteger(row) || row < 1 || row > count) throw bad(`row: batch ${id} has the rows 1 to ${count}`);
    if (seen.has(row)) throw bad(`row: ${row} is given twice`);
    seen.add(row);
  }
}

/** How these rows had ended, as `:why` counts them. */
async function codesOf(
  chunks: Chunks,
  { queue, id }: Batch,
  rows: readonly MendedRow[],
): Promise<ReadonlyMap<number, string>> {
  const codes = new Map<number, string>();
  for (const [chunk, some] of Map.groupBy(rows, ({ row }) => placeOf(row).chunk)) {
    const out = (await chunks.readable(queue, id, "out", chunk)) ?? [];
    for (const { row } of some) {
      const code = codeIn(out[placeOf(row).index]);
      if (code !== null) codes.set(row, code);
    }
  }
  return codes;
}

async function seal(chunks: Chunks, { id }: Batch, repair: string, rows: readonly MendedRow[]): Promise<Sealed> {
  const sealed = new Map<string, Buffer>();
  const placed: Sealed["rows"][number][] = [];
  for (let from = 0; from < rows.length; from += CHUNK_ROWS) {
    const some = rows.slice(from, from + CHUNK_ROWS);
    const chunk = mendedChunk(repair, from / CHUNK_ROWS);
    const inputs = some.map(({ subject, input }) => [subject, input]);
    const columns = some.map((row) => [row.ref, row.columns]);
    sealed.set(`in:${chunk}`, await chunks.seal(id, "in", chunk, inputs));
    sealed.set(`columns:${chunk}`, await chunks.seal(id, "columns", chunk, columns));
    for (const [index, { row, repaired }] of some.entries())
      placed.push({ at: row, repaired, place: rerunPlace({ chunk, index }) });
  }
  return { chunks: sealed, rows: placed };
}

function refusedRows({ id }: Batch, rows: readonly { readonly row: number; readonly state: RowState | null }[]) {
  const groups = Map.groupBy(rows, ({ state }) => state);
  const said = Array.from(groups, ([state, some]) => {
    const named = some.slice(0, NAMED).map(({ row }) => row);
    const more = some.length > NAMED ? ", …" : "";
    return `  ${some.length === 1 ? "row" : "rows"} ${named.join(", ")}${more}: ${whyNot(state)}`;
  });
  const head = `batch ${id}: some rows cannot be taken back, so none was (only ${REPAIRABLE.join(", ")} can): leave these out`;
  return bad([head, ...said].join("\n"));
}

function whyNot(state: RowState | null): string {
  if (state === null) return "the file is of another batch, or newer than this one";
  if (state === "unknown") return "unknown: it may have happened; settle it first (`satyapan settle`)";
  if ((REPAIRABLE as readonly RowState[]).includes(state))
    return `${state}, but its job goes on: try again in a second`;
  return state;
}

function bad(message: string): SatyapanError {
  return new SatyapanError(ErrorCode.BAD_INPUT, message);
}
