import type { Batch } from "./batch.ts";
import type { BatchStore } from "./batch-store.ts";
import { CHUNK_ROWS, type Chunks, firstRowOf } from "./chunks.ts";
import { type RowResult, rowResult } from "./row-result.ts";
import { type RowState, rowStateOf } from "./row-state.ts";

/**
 * What became of each row, in the file's order, chunk by chunk: a batch of any size takes little memory. `only`: of these states.
 * A row whose results cannot be opened any more is told all the same, with its state. Throws SatyapanError `unknown-key`.
 */
export async function* readResults(
  store: BatchStore,
  chunks: Chunks,
  { queue, id, rows }: Batch,
  only?: readonly RowState[],
): AsyncGenerator<RowResult> {
  for (let chunk = 0; firstRowOf(chunk) <= rows; chunk += 1) {
    const first = firstRowOf(chunk);
    // Results first: a row that ends in between has its state without them, never the other way round.
    const out = (await chunks.readable(queue, id, "out", chunk)) ?? [];
    const states = await store.statesBetween(queue, id, first, Math.min(first + CHUNK_ROWS - 1, rows));
    const wanted = Array.from(states, (byte) => rowStateOf(byte) ?? "unknown");
    if (only !== undefined && !wanted.some((state) => only.includes(state))) continue;
    const columns = (await chunks.readable(queue, id, "columns", chunk)) ?? [];
    for (const [index, state] of wanted.entries()) {
      if (only === undefined || only.includes(state)) yield rowResult(first + index, state, columns[index], out[index]);
    }
  }
}
