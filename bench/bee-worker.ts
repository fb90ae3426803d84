import BeeQueue from "bee-queue";
import { Poster } from "./poster.ts";
import { type Place, type PlainJob, QUEUE } from "./side.ts";

const place = JSON.parse(process.argv[2] ?? "") as Place;
const poster = new Poster(place);
const queue = new BeeQueue<PlainJob>(QUEUE, {
  redis: { path: place.store },
  ...{ removeOnSuccess: true, getEvents: false, sendEvents: false, storeJobs: false },
});
queue.on("error", (error) => process.stderr.write(`${String(error)}\n`));
queue.process(place.concurrency, async ({ data }) => await poster.post(data));

process.once("SIGTERM", () => {
  void Promise.all([queue.close(), poster.close()]);
});
