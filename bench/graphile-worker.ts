import { Logger, run } from "graphile-worker";
import { Poster } from "./poster.ts";
import type { Place, PlainJob } from "./side.ts";

const place = JSON.parse(process.argv[2] ?? "") as Place;
const poster = new Poster(place);
/** What its page on performance says: jobs are fetched ahead and completed by the batch. */
const batches = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };

const runner = await run({
  connectionString: place.store,
  concurrency: place.concurrency,
  noHandleSignals: true,
  logger: new Logger(() => () => {}),
  preset: { worker: batches },
  taskList: { call: async (job) => await poster.post(job as PlainJob) },
});

process.once("SIGTERM", () => {
  void Promise.all([runner.stop(), poster.close()]);
});
