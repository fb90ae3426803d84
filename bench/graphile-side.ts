import { makeWorkerUtils, type WorkerUtils } from "graphile-worker";
import { createIds } from "../src/records/ids.ts";
import { CHUNK, type Place, plainJob, type Side } from "./side.ts";

const TASK = "call";

/** graphile-worker as its guide shows it. */
export function graphileSide(place: Place): Side {
  const ids = createIds();
  let opened: Promise<WorkerUtils> | null = null;
  const utils = async (): Promise<WorkerUtils> => await (opened ??= makeWorkerUtils({ connectionString: place.store }));
  return {
    worker: { module: new URL("graphile-worker.ts", import.meta.url), args: [JSON.stringify(place)] },
    async submit(of) {
      await (await utils()).addJob(TASK, plainJob(of, ids));
    },
    async submitMany(persons) {
      for (let from = 0; from < persons.length; from += CHUNK) {
        const jobs = persons.slice(from, from + CHUNK).map((of) => ({ identifier: TASK, payload: plainJob(of, ids) }));
        await (await utils()).addJobs(jobs);
      }
    },
    async assertAllDone() {
      const left = await (
        await utils()
      ).withPgClient(async (client) => await client.query("select from graphile_worker.jobs"));
      if (left.rows.length > 0) throw new Error(`graphile-worker: ${left.rows.length} jobs are left`);
    },
    async close() {
      await (await opened)?.release();
    },
  };
}
