import { expect, it } from "vitest";
import type { Sender } from "../../producers/batches/talk.ts";
import { madeUpMobile } from "../../simulator/people.ts";
import { SEAT_MS } from "../../src/batches/seat-store.ts";
import { BatchBundle } from "../support/batch-bundle.ts";
import { samplesOf } from "../support/exposition.ts";
import { startWorkerBundle } from "../support/worker.ts";

const mobileOf = (row: number): string => madeUpMobile(row, "000");
const wrong = (code: string): string => `${code.slice(0, -1)}${(Number(code.at(-1)) + 1) % 10}`;

it("the metrics of a worker say whom operators have, whom nobody has, and what was decided", async () => {
  await using bundle = await startWorkerBundle();
  const { client, simulator, redis } = bundle;
  const { metricsPort } = await bundle.startWorker();
  const scrape = async (): Promise<Map<string, number>> =>
    samplesOf(await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text());
  const gauge = async (name: string): Promise<number | undefined> =>
    (await scrape()).get(`satyapan_batch_${name}{queue="{eko-0}"}`);
  const decided = async (): Promise<Record<string, number>> =>
    Object.fromEntries(
      [...(await scrape())].flatMap(([name, count]) => {
        const decision = /^satyapan_operator_decisions_total\{queue="\{eko-0\}",decision="(\w+)"/.exec(name)?.[1];
        return decision === undefined ? [] : [[decision, count] as const];
      }),
    );
  const none = { code_right: 0, code_wrong: 0, code_over: 0, later: 0, wrong_number: 0, refused: 0 };
  expect(await decided()).toEqual(none);
  expect([await gauge("senders_unattended"), await gauge("unattended_left_seconds")]).toEqual([0, undefined]);

  const batches = new BatchBundle(redis, bundle.settings);
  const rows = batches.flowRows("eko.mobile", 6, (row) => ({ mobile: mobileOf(row), csp_id: "9000000001" }));
  const { id } = await batches.submit(rows, { flow: "eko.mobile", stopAt: null, open: 6 });
  await expect.poll(async () => await gauge("senders_unattended")).toBe(6);
  expect(await gauge("unattended_left_seconds")).toBeGreaterThan(500);
  expect(await gauge("unattended_left_seconds")).toBeLessThanOrEqual(600);

  const seat = client.batches.seat(id, { operator: "asha" });
  const next = async (): Promise<Sender> => {
    const found: IteratorResult<Sender, void> = await seat.next();
    if (found.done === true) throw new Error("the seat has nobody to talk to any more");
    return found.value;
  };
  const first = await next();
  expect([await gauge("senders_taken"), await gauge("senders_unattended")]).toEqual([1, 5]);
  const code = (await simulator.waitForOtp(mobileOf(first.row))).otp;
  await first.answer(wrong(code));
  await first.answer(code);
  await (await next()).later();
  await (await next()).wrongNumber();
  await (await next()).refused();
  const left = await next();
  expect(await decided()).toEqual({ ...none, code_right: 1, code_wrong: 1, later: 1, wrong_number: 1, refused: 1 });
  // Whom one put off is nobody's for a minute, and waits for nobody either.
  await expect.poll(async () => [await gauge("senders_taken"), await gauge("senders_unattended")]).toEqual([1, 1]);

  // A seat that fell silent has nobody, and what it says then is not counted.
  await redis.client().hset(`satyapan:{eko-0}:batch:${id}:seats`, left.row, `${Date.now() - SEAT_MS} gone`);
  expect([await gauge("senders_taken"), await gauge("senders_unattended")]).toEqual([0, 2]);
  expect(await left.later()).toBe("lost");
  expect((await decided())["later"]).toBe(1);
  await seat.return(undefined);
});
