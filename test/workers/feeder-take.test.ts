import { inspect } from "node:util";
import { expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { Chunks } from "../../src/batches/chunks.ts";
import { RowStore } from "../../src/batches/row-store.ts";
import { JobQueues } from "../../src/queues/job-queues.ts";
import { queueOf, type QueueName } from "../../src/queues/names.ts";
import type { NewJob } from "../../src/records/stored-job.ts";
import { BatchBundle } from "../support/batch-bundle.ts";
import { startClientBundle } from "../support/client.ts";
import { FeederBatch } from "../../workers/feeder-batch.ts";
import { JobRows } from "../../workers/job-rows.ts";

const EKO = queueOf("eko");

it("what is held of a batch between two handings over shows nobody's number", async () => {
  await using bundle = await startClientBundle();
  const { settings, dataKeys } = bundle;
  const batches = new BatchBundle(bundle.redis, settings);
  const mobileOf = (row: number): string => madeUpMobile(row, "000");
  const { id } = await batches.submit(batches.rows(20, mobileOf));
  const { store } = batches;
  const batch = await store.get(EKO, id);
  if (batch === null) throw new Error("the batch is not there");
  const hand = new FeederBatch(batch);
  hand.load(await store.states(EKO, id), new Map());
  const client = bundle.redis.client();
  const rows = new JobRows({
    ...{ queue: EKO, store, dataKeys, subjectKey: settings.subjectKey, now: Date.now },
    ...{ records: bundle.records, rows: new RowStore(client, settings.retention) },
    chunks: new Chunks(client, dataKeys),
    packer: {
      pack: async (_queue: QueueName, jobs: readonly NewJob[]) => await Promise.resolve([...jobs]),
      enqueue: async () => await Promise.resolve(),
    },
    queues: new JobQueues(client, Date.now),
  });
  const { queued } = await rows.take(hand, await store.nextEpoch(EKO), 5);
  expect(queued.size).toBe(5);
  const held = inspect(hand, { depth: Infinity, maxArrayLength: Infinity });
  expect(
    Array.from({ length: 20 }, (_, index) => mobileOf(index + 1)).filter((mobile) => held.includes(mobile)),
  ).toEqual([]);
});
