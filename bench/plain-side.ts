import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { BULLMQ_PREFIX } from "../src/queues/names.ts";
import { createIds, type Ids } from "../src/records/ids.ts";
import { CALL, type Person, type Place, QUEUE, type Side } from "./side.ts";

export interface PlainJob {
  /** The request's body, ready to be posted. */
  readonly body: string;
}

/** Jobs in one chunk of `addBulk` (facts/bullmq §1.8). */
const CHUNK = 500;
const OPTIONS = { removeOnComplete: true } as const;

/** BullMQ as its own guide shows it, and a bare POST. */
export function plainSide(place: Place): Side {
  const redis = new Redis({ path: place.redis, maxRetriesPerRequest: null, replyMapping: "legacy" });
  const queue = new Queue<PlainJob>(QUEUE, { connection: redis, prefix: BULLMQ_PREFIX });
  const ids = createIds();
  const jobOf = (of: Person): { name: string; data: PlainJob; opts: typeof OPTIONS } => ({
    name: "call",
    data: { body: bodyOf(of, ids) },
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

/** A body as long as Satyapan's, field by field. */
function bodyOf({ mobile, cspId }: Person, ids: Ids): string {
  return JSON.stringify({
    initiator_id: CALL.initiatorId,
    client_ref_id: ids.reference(Date.now()),
    csp_id: cspId,
    mobile,
  });
}
