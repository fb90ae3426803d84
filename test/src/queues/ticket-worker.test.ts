import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { TicketWorker } from "../../../src/queues/ticket-worker.ts";
import { startTestRedis } from "../../support/redis.ts";

it("a wait that is over before it begins warns of no negative time", async () => {
  const warnings: string[] = [];
  const hear = ({ name }: Error): void => void warnings.push(name);
  process.on("warning", hear);
  try {
    const worker = Object.create(TicketWorker.prototype) as TicketWorker;
    await worker.delay(-35);
    await setImmediate();
  } finally {
    process.off("warning", hear);
  }
  expect(warnings).toEqual([]);
});

it("takes one more entry while it has room for jobs, and none, not even in place of one that ends, while it has not", async () => {
  const redis = await startTestRedis();
  const connection = redis.client({ maxRetriesPerRequest: null });
  const worker = new TicketWorker("entries", async () => {}, { connection, autorun: false });
  try {
    worker.limitJobs(50);
    expect(worker.concurrency).toBe(1);
    worker.took(12);
    expect(worker.concurrency).toBe(2);
    worker.took(64);
    expect(worker.concurrency).toBe(1);
    worker.left(12);
    worker.leftEntry();
    // One is in hand, and BullMQ fetches while it has fewer than this.
    expect(worker.concurrency).toBe(1);
    worker.left(15);
    expect(worker.concurrency).toBe(2);
    worker.left(49);
    worker.leftEntry();
    expect(worker.concurrency).toBe(1);
  } finally {
    await worker.close();
    await redis.stop();
  }
});
