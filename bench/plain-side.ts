import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { BULLMQ_PREFIX } from "../src/queues/names.ts";
import { createIds } from "../src/records/ids.ts";
import { CHUNK, type Person, type Place, type PlainJob, plainJob, QUEUE, type Side } from "./side.ts";

/** The jobs under way. */
export const PLAIN_ACTIVE = `${BULLMQ_PREFIX}:${QUEUE}:active`;
const OPTIONS = { removeOnComplete: true } as const;

/** BullMQ as its own guide shows it, and a bare POST. */
export function plainSide(place: Place): Side {
  const redis = new Redis({ path: place.store, maxRetriesPerRequest: null, replyMapping: "legacy" });
  const queue = new Queue<PlainJob>(QUEUE, { connection: redis, prefix: BULLMQ_PREFIX });
  const ids = createIds();
  const jobOf = (of: Person): { name: string; data: PlainJob; opts: typeof OPTIONS } => ({
    name: "call",
    data: plainJob(of, ids),
    opts: OPTIONS,
  });
  return {
    worker: { module: new URL("plain-worker.ts", import.meta.url), args: [JSON.stringify(place)] },
    async submit(of) {
      const { name, data, opts } = jobOf(of);
      await queue.add(name, data, opts);
    },
    async submitMany(persons) {
      for (let from = 0; from < persons.length; from += CHUNK) {
        await queue.addBulk(persons.slice(from, from + CHUNK).map(jobOf));
      }
    },
    async assertAllDone() {
      const counts = await queue.getJobCounts();
      const left = Object.entries(counts).filter(([, count]) => count > 0);
      if (left.length > 0)
        throw new Error(`jobs of plain BullMQ are left: ${JSON.stringify(Object.fromEntries(left))}`);
    },
    async close() {
      await queue.close();
      redis.disconnect();
    },
  };
}
