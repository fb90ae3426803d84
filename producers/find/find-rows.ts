import { BatchStore } from "../../src/batches/batch-store.ts";
import type { BatchTarget } from "../../src/batches/batch.ts";
import { Chunks, placeOf } from "../../src/batches/chunks.ts";
import { rowOfJob } from "../../src/batches/keys.ts";
import { RepairStore } from "../../src/batches/repair-store.ts";
import { rowsOfPerson } from "../../src/batches/person-rows.ts";
import { runOf } from "../../src/batches/rerun.ts";
import { rowResult } from "../../src/batches/row-result.ts";
import { readRowState } from "../../src/batches/row-state.ts";
import type { Settings } from "../../src/config/settings.ts";
import { FLOWS } from "../../src/flows/flows.ts";
import { OPERATIONS } from "../../src/operations/catalogue.ts";
import { queueOf, QUEUES } from "../../src/queues/names.ts";
import type { ClientConnections } from "../base/client-connections.ts";
import type { FoundPart } from "./found-part.ts";

/** The rows of batches that are about a person, also those whose jobs are gone: by an index, whatever else is kept. */
export async function findRows(
  { redis, dataKeys }: Pick<ClientConnections, "redis" | "dataKeys">,
  { retention }: Pick<Settings, "retention">,
  subject: string,
  now: number,
): Promise<FoundPart[]> {
  const store = new BatchStore(redis, retention);
  const repairs = new RepairStore(redis);
  const chunks = new Chunks(redis, dataKeys);
  const found: FoundPart[] = [];
  for (const queue of QUEUES) {
    for (const job of await rowsOfPerson(redis, queue, targetsOf(queue), subject, retention, now)) {
      const { batch: id = "", row = 0, run = 0 } = rowOfJob(job) ?? {};
      const batch = await store.get(queue, id);
      const [byte = ""] = batch === null ? [] : await store.statesOf(queue, id, [row]);
      if (batch === null || byte === "") continue;
      const state = readRowState(byte, row);
      // Another person may stand there by now; who is asked again is in the row of the newest run.
      if (runOf((await repairs.reruns(queue, id)).get(row)) !== run) continue;
      const { chunk, index } = placeOf(row);
      const out = await chunks.readable(queue, id, "out", chunk);
      const { reason, ended_at } = rowResult({ row, state, repaired: 0, asked_again: 0 }, null, out?.[index]);
      const created = new Date(batch.createdAt).toISOString();
      const times = { created_at: created, updated_at: ended_at ?? created };
      found.push({ kind: "row", id: job, name: batch.target.name, state, reason, ...times });
    }
  }
  return found;
}

function targetsOf(queue: string): BatchTarget[] {
  return [
    ...OPERATIONS.map(({ name, provider }) => ({ kind: "operation" as const, name, provider })),
    ...FLOWS.map(({ name, provider }) => ({ kind: "flow" as const, name, provider })),
  ].filter(({ provider }) => queueOf(provider) === queue);
}
