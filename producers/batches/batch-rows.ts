import type { Batch } from "../../src/batches/batch.ts";
import { Chunks } from "../../src/batches/chunks.ts";
import { type PersonHolder, unpackHolder } from "../../src/batches/person-holder.ts";
import { readResults } from "../../src/batches/read-results.ts";
import { RepairStore } from "../../src/batches/repair-store.ts";
import type { RowResult } from "../../src/batches/row-result.ts";
import type { RowState } from "../../src/batches/row-state.ts";
import type { ClientConnections } from "../base/client-connections.ts";

/** A row that is not called, because another has its person. */
export interface DuplicateRow {
  readonly row: number;
  readonly ref: string | null;
  /** An earlier row of the same batch, a row of another, or an onboarding of none; null: an earlier version did not keep it. */
  readonly of: PersonHolder | null;
  /** The same in words. */
  readonly reason: string | null;
}

/** What became of rows, some hundred at a time in memory. */
export function rowsOf(
  { redis, dataKeys }: ClientConnections,
  batch: Batch,
  only?: readonly RowState[],
): AsyncGenerator<RowResult> {
  return readResults({ repairs: new RepairStore(redis), chunks: new Chunks(redis, dataKeys) }, batch, only);
}

export async function* duplicatesOf(rows: AsyncIterable<RowResult>): AsyncGenerator<DuplicateRow> {
  for await (const { row, ref, result, reason } of rows) yield { row, ref, of: unpackHolder(result), reason };
}
