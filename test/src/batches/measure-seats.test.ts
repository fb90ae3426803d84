import { expect, it } from "vitest";
import { measureSeats } from "../../../src/batches/measure-seats.ts";
import { MOST_LOOKED_AT } from "../../../src/batches/scripts/scripts.ts";
import { SeatStore } from "../../../src/batches/seat-store.ts";
import { noRows } from "../../../src/batches/row-state.ts";
import { queueOf } from "../../../src/queues/names.ts";
import { startTestRedis } from "../../support/redis.ts";

const BATCH = { queue: queueOf("eko"), id: "b000000000" };
const NOW = 1_000_000;

async function setup(rows: number) {
  const redis = await startTestRedis();
  const client = redis.client();
  const key = `satyapan:{eko-0}:batch:${BATCH.id}`;
  for (let row = 1; row <= rows; row += 1) await client.zadd(`${key}:awaited`, NOW + row * 1_000, row);
  return {
    ...{ client, key, seats: new SeatStore(client), [Symbol.asyncDispose]: async () => await redis.stop() },
    /** `awaiting_otp`: how many the batch had, when that was read. */
    measure: async (awaiting_otp: number) =>
      await measureSeats(client, BATCH.queue, [{ id: BATCH.id, counts: { ...noRows(), awaiting_otp } }], NOW),
  };
}

it("counts senders as they stand at one moment, though rows of the batch ended since its counts were read", async () => {
  await using bundle = await setup(3);
  const { seats, measure } = bundle;
  await seats.next(BATCH, "asha", NOW);
  expect(await measure(6)).toMatchObject({ taken: 1, unattended: 2, firstLeft: 2 });
});

it("counts also those of whom operators are handed none yet, because so many codes are due before", async () => {
  await using bundle = await setup(MOST_LOOKED_AT + 5);
  const { seats, measure } = bundle;
  const row = await seats.next(BATCH, "asha", NOW);
  expect(await seats.giveBack(BATCH, row ?? 0, "asha", NOW + 1)).toBe(true);
  await seats.next(BATCH, "asha", NOW);
  expect(await measure(1)).toMatchObject({ taken: 1, unattended: MOST_LOOKED_AT + 3 });
});
