import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { TicketWorker } from "../../../src/queues/ticket-worker.ts";

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
