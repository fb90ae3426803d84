import { Worker } from "bullmq";
import { Redis } from "ioredis";
import { BULLMQ_PREFIX } from "../src/queues/names.ts";
import { Poster } from "./poster.ts";
import { type Place, type PlainJob, QUEUE } from "./side.ts";

// A process of its own: the least that posts a job's body and reads the reply.

const place = JSON.parse(process.argv[2] ?? "") as Place;
const { concurrency } = place;
const connection = new Redis({ path: place.store, maxRetriesPerRequest: null, replyMapping: "legacy" });
const poster = new Poster(place);
const worker = new Worker<PlainJob, void>(QUEUE, async ({ data }) => await poster.post(data), {
  ...{ connection, prefix: BULLMQ_PREFIX, concurrency },
});
worker.on("error", (error) => process.stderr.write(`${String(error)}\n`));

process.once("SIGTERM", () => {
  void Promise.all([worker.close(), poster.close()]).then(() => connection.disconnect());
});
