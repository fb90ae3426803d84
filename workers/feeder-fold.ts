import { CHUNK_ROWS, type Chunks, placeOf } from "../src/batches/chunks.ts";
import { packResult } from "../src/batches/row-result.ts";
import type { RowSight } from "../src/batches/row-end.ts";
import { isEnd, ROW_BYTES } from "../src/batches/row-state.ts";
import type { RowStore } from "../src/batches/row-store.ts";
import type { FeederBatch } from "./feeder-batch.ts";

export interface FoldDeps {
  readonly rows: Pick<RowStore, "fold">;
  readonly chunks: Chunks;
  readonly now: () => number;
}

/** Writes where rows have come to, with the results of those that ended. Whether the batch is still there. */
export async function foldRows(
  { rows: store, chunks, now }: FoldDeps,
  hand: FeederBatch,
  epoch: number,
  sights: ReadonlyMap<number, RowSight>,
): Promise<boolean> {
  const { id } = hand.batch;
  for (const [chunk, rows] of Map.groupBy(sights, ([row]) => placeOf(row).chunk)) {
    const ends = rows.some(([, { kept }]) => kept !== null);
    const values = ends ? await resultsOf(chunks, hand, chunk) : [];
    for (const [row, { kept }] of rows) if (kept !== null) values[placeOf(row).index] = packResult(kept);
    const out = ends ? await chunks.seal(id, "out", chunk, values) : null;
    const changes = rows.map(([row, { state, spent }]) => ({
      at: row,
      byte: ROW_BYTES[state],
      spent: spent.join(" "),
    }));
    const counts = await store.fold(hand.batch, epoch, now(), { chunk, out, rate: hand.rate }, changes);
    if (counts === null) return false;
    hand.batch = { ...hand.batch, counts };
    for (const [row, { state, isAway }] of rows) {
      const air = hand.air.get(row);
      if (isEnd(state)) {
        if (hand.air.delete(row)) hand.endedSince += 1;
      } else if (air !== undefined) Object.assign(air, { state, isAway });
    }
    forget(hand, chunk);
  }
  return true;
}

async function resultsOf(chunks: Chunks, { batch, results }: FeederBatch, chunk: number): Promise<unknown[]> {
  const known = results.get(chunk);
  if (known !== undefined) return known;
  const rows = Math.min(CHUNK_ROWS, batch.rows - chunk * CHUNK_ROWS);
  const values = (await chunks.read(batch.queue, batch.id, "out", chunk)) ?? Array.from({ length: rows }, () => null);
  results.set(chunk, values);
  return values;
}

/** The results of a chunk are at hand while rows of it are in the air. */
function forget({ air, results }: FeederBatch, chunk: number): void {
  for (const row of air.keys()) if (placeOf(row).chunk === chunk) return;
  results.delete(chunk);
}
