import type { Batch } from "./batch.ts";
import { CHUNK_ROWS, type Chunks, firstRowOf } from "./chunks.ts";
import { type Rerun, runOf } from "./rerun.ts";
import type { RepairStore } from "./repair-store.ts";
import { type RowResult, rowResult } from "./row-result.ts";
import { readRowState, type RowState } from "./row-state.ts";

export interface ResultsDeps {
  readonly repairs: Pick<RepairStore, "standing">;
  readonly chunks: Chunks;
}

/**
 * What became of each row, in the file's order, chunk by chunk: a batch of any size takes little memory. `only`: of these states.
 * A row whose results cannot be opened any more is told all the same, with its state. Throws SatyapanError `unknown-key`, `unreadable`.
 */
export async function* readResults(
  { repairs, chunks }: ResultsDeps,
  batch: Batch,
  only?: readonly RowState[],
): AsyncGenerator<RowResult> {
  const { queue, id, rows } = batch;
  for (let chunk = 0; firstRowOf(chunk) <= rows; chunk += 1) {
    const first = firstRowOf(chunk);
    const last = Math.min(first + CHUNK_ROWS - 1, rows);
    const before = await repairs.standing(queue, id, first, last);
    const out = (await chunks.readable(queue, id, "out", chunk)) ?? [];
    const { states, reruns } = await repairs.standing(queue, id, first, last);
    const wanted = Array.from(states, (byte, index) => {
      const row = first + index;
      // A row that came to another end in between has its state without its results: these may be of the end before.
      const isSame = byte === before.states.charAt(index) && runOf(reruns.get(row)) === runOf(before.reruns.get(row));
      return { row, state: readRowState(byte, row), index, kept: isSame ? out[index] : null };
    }).filter(({ state }) => only === undefined || only.includes(state));
    if (wanted.length === 0) continue;
    const columns = (await chunks.readable(queue, id, "columns", chunk)) ?? [];
    const mended = await mendedColumns(
      chunks,
      batch,
      wanted.flatMap(({ row }) => reruns.get(row) ?? []),
    );
    for (const { index, row, state, kept } of wanted) {
      const rerun = reruns.get(row);
      const own = rerun === undefined ? columns[index] : mended.get(rerun.chunk)?.[rerun.index];
      const again = { repaired: rerun?.repaired ?? 0, asked_again: rerun?.askedAgain ?? 0 };
      yield rowResult({ row, state, ...again }, own, kept);
    }
  }
}

async function mendedColumns(
  chunks: Chunks,
  { queue, id }: Batch,
  reruns: readonly Rerun[],
): Promise<ReadonlyMap<string, readonly unknown[]>> {
  const read = new Map<string, readonly unknown[]>();
  for (const name of new Set(reruns.map(({ chunk }) => chunk)))
    read.set(name, (await chunks.readable(queue, id, "columns", name)) ?? []);
  return read;
}
