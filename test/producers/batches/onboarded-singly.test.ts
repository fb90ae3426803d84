import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../../simulator/people.ts";
import { noRows } from "../../../src/batches/row-state.ts";
import { BatchBundle } from "../../support/batch-bundle.ts";
import { startWorkerBundle } from "../../support/worker.ts";

const mobileOf = (row: number): string => madeUpMobile(row, "000");
const WAIT = { timeoutMs: 60_000 };

async function startBundle() {
  const bundle = await startWorkerBundle({ env: { OTP_COOLDOWN: "1s" } });
  const batches = new BatchBundle(bundle.redis, bundle.settings);
  const onboard = async (row: number, id: string): Promise<void> => {
    await bundle.client.onboard("eko.mobile", { mobile: mobileOf(row), csp_id: "9000000001" }, { id });
  };
  const awaited = async (id: string): Promise<void> => {
    const record = await bundle.client.onboardings.waitUntil(id, ({ state }) => state !== "running", WAIT);
    expect(record).toMatchObject({ state: "awaiting_otp" });
  };
  const answer = async (row: number, id: string): Promise<void> => {
    await bundle.client.answer(id, (await bundle.simulator.waitForOtp(mobileOf(row))).otp);
  };
  /** Rows from a number on, one person each. */
  const submit = async (count: number, from = 1, flow = "eko.mobile") => {
    const rows = batches.flowRows(flow, count, (row) => ({ mobile: mobileOf(from + row - 1), csp_id: "9000000001" }));
    return await batches.submit(rows, { flow, stopAt: null });
  };
  const reasons = async (id: string) =>
    (await batches.results(id, ["duplicate"])).map(({ row, reason }) => `${row}: ${reason}`);
  return {
    ...{ ...bundle, batches, onboard, awaited, answer, submit, reasons },
    [Symbol.asyncDispose]: async () => await bundle[Symbol.asyncDispose](),
  };
}

describe("a person who is onboarded singly", () => {
  it("is a duplicate of a batch that comes after, from the beginning on and for good once it got through", async () => {
    await using bundle = await startBundle();
    const { client, onboard, awaited, answer, submit, reasons } = bundle;
    await onboard(1, "asha");
    const first = await submit(2);
    expect(first.counts).toEqual({ ...noRows(), waiting: 1, duplicate: 1 });
    expect(await reasons(first.id)).toEqual(["1: the same person as onboarding asha"]);
    await client.batches.cancel(first.id);
    await bundle.startWorker();
    await awaited("asha");
    expect((await submit(3)).counts).toMatchObject({ waiting: 2, duplicate: 1 });
    await answer(1, "asha");
    await client.onboardings.waitFor("asha", WAIT);
    expect((await submit(1)).counts).toEqual({ ...noRows(), duplicate: 1 });
  });

  it("is called again who did not get through, and by a batch that runs something else", async () => {
    await using bundle = await startBundle();
    const { client, onboard, awaited, submit } = bundle;
    await bundle.startWorker();
    await onboard(1, "asha");
    await awaited("asha");
    const operation = await bundle.batches.submit(bundle.batches.rows(1, mobileOf));
    expect(operation.counts.duplicate).toBe(0);
    await client.onboardings.cancel("asha", { reason: "a mistake" });
    await client.onboardings.waitFor("asha", WAIT);
    expect((await submit(1)).counts.duplicate).toBe(0);
  });

  it("is not called by a row that waited meanwhile", async () => {
    await using bundle = await startBundle();
    const { client, batches, onboard, awaited, answer, submit, reasons } = bundle;
    const { id } = await submit(2);
    await client.batches.pause(id);
    await bundle.startWorker();
    await onboard(1, "asha");
    await awaited("asha");
    await answer(1, "asha");
    await client.onboardings.waitFor("asha", WAIT);
    await client.batches.resume(id);
    await answer(2, `${id}-2`);
    expect((await batches.ended(id)).counts).toEqual({ ...noRows(), succeeded: 1, duplicate: 1 });
    expect(await reasons(id)).toEqual(["1: the same person as onboarding asha"]);
    await batches.recount(id);
    expect(bundle.simulator.outbox.map(({ to }) => to)).toEqual([mobileOf(1), mobileOf(2)]);
  });

  it("may be in an open batch: a person at the counter is not turned away, and got through though the row did not", async () => {
    await using bundle = await startBundle();
    const { client, batches, onboard, awaited, answer, submit, reasons } = bundle;
    const { id } = await submit(1);
    await bundle.startWorker();
    await expect.poll(async () => (await batches.show(id)).counts.awaiting_otp).toBe(1);
    await onboard(1, "asha");
    await client.batches.cancel(id);
    await batches.ended(id);
    await awaited("asha");
    await answer(1, "asha");
    await client.onboardings.waitFor("asha", WAIT);
    const later = await submit(2);
    expect(await reasons(later.id)).toEqual(["1: the same person as onboarding asha"]);
  });

  it("stays who got through, whatever comes of another try", async () => {
    await using bundle = await startBundle();
    const { client, onboard, awaited, answer, submit, reasons } = bundle;
    await bundle.startWorker();
    await onboard(1, "asha");
    await awaited("asha");
    await answer(1, "asha");
    await client.onboardings.waitFor("asha", WAIT);
    await onboard(1, "asha-again");
    await client.onboardings.cancel("asha-again", { reason: "she is in already" });
    await client.onboardings.waitFor("asha-again", WAIT);
    expect(await reasons((await submit(2)).id)).toEqual(["1: the same person as onboarding asha"]);
  });

  it("is known who got through though another try of the same person began before", async () => {
    await using bundle = await startBundle();
    const { client, onboard, awaited, answer, submit, reasons } = bundle;
    await bundle.startWorker();
    await onboard(1, "asha");
    await awaited("asha");
    await onboard(1, "asha-again");
    await client.onboardings.cancel("asha", { reason: "she asked for another code" });
    await client.onboardings.waitFor("asha", WAIT);
    await awaited("asha-again");
    await answer(1, "asha-again");
    await client.onboardings.waitFor("asha-again", WAIT);
    expect(await reasons((await submit(2)).id)).toEqual(["1: the same person as onboarding asha-again"]);
  });
});
