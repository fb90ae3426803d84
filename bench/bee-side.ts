import BeeQueue from "bee-queue";
import { createIds } from "../src/records/ids.ts";
import { CHUNK, type Place, type PlainJob, plainJob, QUEUE, type Side } from "./side.ts";

/** The jobs under way. */
export const BEE_ACTIVE = `bq:${QUEUE}:active`;

/** bee-queue as its README tunes it for speed: no events, and jobs go when they are done. */
export function beeSide(place: Place): Side {
  const queue = new BeeQueue<PlainJob>(QUEUE, {
    redis: { path: place.store },
    ...{ isWorker: false, getEvents: false, sendEvents: false, storeJobs: false },
  });
  const ids = createIds();
  return {
    worker: { module: new URL("bee-worker.ts", import.meta.url), args: [JSON.stringify(place)] },
    async submit(of) {
      await queue.createJob(plainJob(of, ids)).save();
    },
    async submitMany(persons) {
      for (let from = 0; from < persons.length; from += CHUNK) {
        const jobs = persons.slice(from, from + CHUNK).map((of) => queue.createJob(plainJob(of, ids)));
        for (const [, error] of await queue.saveAll(jobs)) throw error;
      }
    },
    async assertAllDone() {
      const { waiting, active, failed } = await queue.checkHealth();
      if (waiting + active + failed > 0)
        throw new Error(`bee-queue: ${waiting + active} jobs are left, ${failed} failed`);
    },
    async close() {
      await queue.close();
    },
  };
}
