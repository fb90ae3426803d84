import { CHUNK_ROWS, type Chunks, placeOf } from "../src/batches/chunks.ts";
import { packRerun, type Rerun } from "../src/batches/rerun.ts";
import { codeIn, packResult } from "../src/batches/row-result.ts";
import { NO_CODE } from "../src/batches/row-reasons.ts";
import type { RowSight } from "../src/batches/row-end.ts";
import { isEnd, ROW_BYTES } from "../src/batches/row-state.ts";
import type { FoldedRow, RowStore } from "../src/batches/row-store.ts";
import type { BatchMetrics } from "../src/telemetry/batch-metrics.ts";
import type { FeederBatch } from "./feeder-batch.ts";

export interface FoldDeps {
  readonly rows: Pick<RowStore, "fold">;
  readonly chunks: Chunks;
  readonly metrics: { readonly batches: Pick<BatchMetrics, "ended"> };
  readonly now: () => number;
}

/**
 * Writes where rows have come to, with the results of those that ended; rows of `again` wait for that run instead. Whether the batch is
 * still there.
 */
export async function foldRows(
  { rows: store, chunks, metrics, now }: FoldDeps,
  hand: FeederBatch,
  epoch: number,
  sights: ReadonlyMap<number, RowSight>,
  again: ReadonlyMap<number, Rerun> = new Map(),
): Promise<boolean> {
  const { id } = hand.batch;
  for (const [chunk, rows] of Map.groupBy(sights, ([row]) => placeOf(row).chunk)) {
    const ended = rows.flatMap(([row, { kept }]) => (kept === null || again.has(row) ? [] : [{ row, kept }]));
    const ends = ended.length > 0;
    // Those that are not in the air had ended before.
    const late = rows.filter(([row]) => !hand.air.has(row)).map(([row]) => row);
    const values = ends || late.length > 0 ? await resultsOf(chunks, hand, chunk) : [];
    const left = new Map(late.map((row) => [row, codeIn(values[placeOf(row).index])]));
    for (const { row, kept } of ended) values[placeOf(row).index] = packResult(kept);
    const out = ends ? await chunks.seal(id, "out", chunk, values) : null;
    const changes = rows.map(([row, sight]) =>
      changeOf(hand, row, sight, { again: again.get(row) ?? null, left: left.get(row) ?? null }),
    );
    const counts = await store.fold(hand.batch, epoch, now(), { chunk, out, rate: hand.rate }, changes);
    if (counts === null) return false;
    hand.batch = { ...hand.batch, counts };
    for (const [row, { state, isAway }] of rows) {
      const rerun = again.get(row);
      const air = hand.air.get(row);
      if (rerun !== undefined) hand.putBack(row, rerun);
      else if (isEnd(state)) {
        if (hand.air.delete(row)) {
          hand.endedSince += 1;
          metrics.batches.ended(hand.batch.queue);
        }
      } else if (air !== undefined) Object.assign(air, { state, isAway });
    }
    forget(hand, chunk);
  }
  return true;
}

function changeOf(
  hand: FeederBatch,
  row: number,
  { state, spent, deadline, kept }: RowSight,
  { again, left }: { readonly again: Rerun | null; readonly left: string | null },
): FoldedRow {
  const ends = again === null && kept !== null;
  return {
    ...{ left, code: ends ? (kept.code ?? NO_CODE) : null, reason: ends ? kept.reason : null },
    ...{ at: row, self: hand.jobOf(row), byte: ROW_BYTES[again === null ? state : "waiting"] },
    ...{ spent: spent.join(" "), again: again === null ? null : packRerun(again), deadline: deadline ?? null },
  };
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
