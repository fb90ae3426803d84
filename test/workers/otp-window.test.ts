import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { noRows } from "../../src/batches/row-state.ts";
import type { BatchWishes } from "../../producers/batches/batch-terms.ts";
import { BatchBundle } from "../support/batch-bundle.ts";
import { startWorkerBundle } from "../support/worker.ts";

const mobileOf = (row: number): string => madeUpMobile(row, "000");

async function startBundle(simulator = {}) {
  const bundle = await startWorkerBundle({ simulator, env: { OTP_COOLDOWN: "100ms" } });
  const batches = new BatchBundle(bundle.redis, bundle.settings);
  const submit = async (count: number, wishes: BatchWishes): Promise<string> => {
    const rows = batches.flowRows("eko.mobile", count, (row) => ({ mobile: mobileOf(row), csp_id: "9000000001" }));
    return (await batches.submit(rows, { flow: "eko.mobile", stopAt: null, ...wishes })).id;
  };
  const sentTo = (row: number): number => bundle.simulator.outbox.filter(({ to }) => to === mobileOf(row)).length;
  const counts = async (id: string) => (await batches.show(id)).counts;
  /** The newest code that went to that row's person is given. */
  const answer = async (id: string, row: number, run = ""): Promise<void> => {
    const { otp } = await bundle.simulator.waitForOtp(mobileOf(row));
    await bundle.client.answer(`${id}-${row}${run}`, otp);
  };
  return {
    ...{ ...bundle, batches, submit, sentTo, counts, answer },
    [Symbol.asyncDispose]: async () => await bundle[Symbol.asyncDispose](),
  };
}

describe("a batch with a window", () => {
  it("sends no more codes than somebody is asked for, opens the next when one ends, and follows a change at once", async () => {
    await using bundle = await startBundle();
    const { batches, submit, counts, answer, client, simulator } = bundle;
    const id = await submit(12, { open: 3 });
    await bundle.startWorker();
    await bundle.startWorker();
    const sent = (): number => simulator.outbox.length;
    await expect.poll(async () => (await counts(id)).awaiting_otp).toBe(3);
    expect(sent()).toBe(3);
    expect(await batches.show(id)).toMatchObject({ open_limit: 3, open_challenges: 3, counts: { waiting: 9 } });
    for (let row = 1; row <= 6; row += 1) {
      const before = sent();
      await answer(id, row);
      await expect.poll(async () => (await counts(id)).succeeded).toBe(row);
      await expect.poll(sent).toBe(before + 1);
      expect(sent()).toBeLessThanOrEqual(row + 3);
    }
    await client.batches.open(id, 1);
    await answer(id, 7);
    await answer(id, 8);
    await expect.poll(async () => (await counts(id)).succeeded).toBe(8);
    await expect.poll(async () => (await counts(id)).awaiting_otp).toBe(1);
    expect(sent()).toBe(9);
    await client.batches.open(id, null);
    await expect.poll(sent).toBe(12);
    for (let row = 9; row <= 12; row += 1) await answer(id, row);
    expect((await batches.ended(id)).counts).toEqual({ ...noRows(), succeeded: 12 });
    await batches.recount(id);
  });

  it("puts a row behind all others whose code nobody gave, as often as it was said, and then it is expired", async () => {
    await using bundle = await startBundle({ otpTtlMs: 1_500 });
    const { batches, submit, counts, answer, sentTo, simulator } = bundle;
    const id = await submit(4, { open: 1, resends: 1 });
    await bundle.startWorker();
    // Row 1 says nothing, and is asked again when all others were; row 3 never says anything.
    await answer(id, 2);
    await answer(id, 4);
    await expect.poll(() => sentTo(1)).toBe(2);
    await answer(id, 1, "r1");
    const { counts: ended } = await batches.ended(id);
    expect(ended).toEqual({ ...noRows(), succeeded: 3, expired: 1 });
    const order = simulator.outbox.map(({ to }) => [1, 2, 3, 4].find((row) => mobileOf(row) === to));
    expect(order).toEqual([1, 2, 3, 4, 1, 3]);
    const results = await batches.results(id);
    expect(results.map(({ state, asked_again, repaired }) => [state, asked_again, repaired])).toEqual([
      ["succeeded", 1, 0],
      ["succeeded", 0, 0],
      ["expired", 1, 0],
      ["succeeded", 0, 0],
    ]);
    await batches.recount(id);
    expect((await counts(id)).awaiting_otp).toBe(0);
  });

  it("is refused where no code is awaited, and where it is none", async () => {
    await using bundle = await startBundle();
    const { batches, submit, client } = bundle;
    const operation = await batches.submit(batches.rows(2, mobileOf));
    await expect(client.batches.open(operation.id, 3)).rejects.toThrow(/only a flow awaits codes/);
    const wish = async (wishes: BatchWishes): Promise<unknown> => await submit(2, wishes);
    await expect(wish({ open: 0 })).rejects.toThrow(/open: must be a whole number from 1/);
    await expect(wish({ resends: 3 })).rejects.toThrow(/resends: must be 0 to 2/);
    const resends = async (): Promise<unknown> => await batches.submit(batches.rows(2, mobileOf), { resends: 1 });
    await expect(resends()).rejects.toThrow(/only a flow awaits codes/);
  });
});
