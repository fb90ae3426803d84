import { expect, it } from "vitest";
import { ticketRows } from "../../../src/batches/window.ts";
import { queueOf } from "../../../src/queues/names.ts";
import { TicketPacker } from "../../../src/records/ticket-packer.ts";
import type { NewJob } from "../../../src/records/stored-job.ts";

const JOB: NewJob = {
  ...{ id: "j", operation: "eko.mobile-otp", lane: "bulk", input: "", digest: "", reference: "fresh", subject: null },
  ...{ of: null, holdNames: [], createdAt: 0, expiresAt: null, consent: null },
};

it("as many rows share a ticket as end in 30 ms, at least 16 and at most 64: what is more urgent waits no longer for them", () => {
  expect([0, 100, 600, 1_500, 10_000].map(ticketRows)).toEqual([16, 16, 18, 45, 64]);
});

it("tickets carry no more than who hands jobs over wishes, nor than the gate lets through at once", async () => {
  let named = 0;
  const packer = new TicketPacker({
    queues: { add: async () => await Promise.resolve() },
    sizes: { of: async () => await Promise.resolve(10) },
    unique: () => `u${named++}`,
  });
  const jobs = Array.from({ length: 20 }, (_, index) => ({ ...JOB, id: `j${index}` }));
  const sizes = async (most?: number): Promise<number[]> => {
    const packed = await packer.pack(queueOf("eko"), jobs, most);
    return [...Map.groupBy(packed, ({ ticket }) => ticket).values()].map((some) => some.length);
  };
  expect(await sizes(8)).toEqual([8, 8, 4]);
  expect(await sizes(64)).toEqual([10, 10]);
  expect(await sizes()).toEqual([10, 10]);
});
