import type { BatchStore } from "../src/batches/batch-store.ts";
import type { Batch } from "../src/batches/batch.ts";
import { rowJobId } from "../src/batches/keys.ts";
import { isPacked, lookedUp, type RowSight, sightOf } from "../src/batches/row-end.ts";
import type { RecordStore } from "../src/records/record-store.ts";

export interface LookDeps {
  readonly store: Pick<BatchStore, "look">;
  readonly records: Pick<RecordStore, "fieldsOfMany">;
}

/**
 * Where the jobs of these rows stand, in order; null: there is no record. That of one that ended long ago is packed by then, and read
 * as such.
 */
export async function seeRows(
  { store, records }: LookDeps,
  { queue, id }: Pick<Batch, "queue" | "id">,
  rows: readonly number[],
): Promise<(RowSight | null)[]> {
  const ids = rows.map((row) => rowJobId(id, row));
  const answers = await store.look(queue, ids);
  const packed = ids.filter((_, index) => isPacked(answers[index] ?? []));
  const found = packed.length === 0 ? [] : await records.fieldsOfMany(queue, packed);
  const byId = new Map(packed.map((job, index) => [job, found[index] ?? null]));
  return ids.map((job, index) => {
    const fields = byId.get(job) ?? null;
    const answer = fields === null ? (answers[index] ?? []) : lookedUp(fields);
    return answer[0] === undefined || answer[0] === "missing" ? null : sightOf(answer);
  });
}
