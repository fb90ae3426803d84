import { getEventListeners } from "node:events";
import { afterEach, expect, it, vi } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { BatchBundle } from "../support/batch-bundle.ts";
import { startWorkerBundle } from "../support/worker.ts";

afterEach(() => void vi.restoreAllMocks());

/** A signal has a few listeners at a time: who rests, and who waits for a reply. */
const MOST_LISTENERS = 12;

it("a worker's rests leave nothing at the signals that live as long as it does, however many there are", async () => {
  await using bundle = await startWorkerBundle({ env: { EKO_QUOTA: "40/1s" } });
  const batches = new BatchBundle(bundle.redis, bundle.settings);
  const signals = new Set<AbortSignal>();
  let added = 0;
  // oxlint-disable-next-line typescript/unbound-method -- called with the signal that it was called of.
  const { addEventListener } = EventTarget.prototype;
  vi.spyOn(EventTarget.prototype, "addEventListener").mockImplementation(function (this: EventTarget, ...args) {
    if (this instanceof AbortSignal && args[0] === "abort") {
      signals.add(this);
      added += 1;
    }
    addEventListener.apply(this, args);
  });
  const any = vi.spyOn(AbortSignal, "any");
  await bundle.startWorker();
  const { id } = await batches.submit(batches.rows(120, (row) => madeUpMobile(row, "000")));
  const { id: flow } = await batches.submit(
    batches.flowRows("eko.mobile", 1, () => ({ mobile: madeUpMobile(500, "000"), csp_id: "9000000001" })),
    { flow: "eko.mobile" },
  );
  await bundle.client.answer(`${flow}-1`, (await bundle.simulator.waitForOtp(madeUpMobile(500, "000"))).otp);
  expect((await batches.ended(id)).counts.succeeded).toBe(120);
  await batches.ended(flow);
  expect(added).toBeGreaterThan(100);
  expect(Math.max(...[...signals].map((signal) => getEventListeners(signal, "abort").length))).toBeLessThan(
    MOST_LISTENERS,
  );
  // One that is made of others stays with those that live on, and no list shows it.
  expect(any).not.toHaveBeenCalled();
});
