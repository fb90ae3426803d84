import * as fc from "fast-check";
import { expect, it } from "vitest";
import { SeatStore } from "../../../src/batches/seat-store.ts";
import { queueOf } from "../../../src/queues/names.ts";
import { startTestRedis } from "../../support/redis.ts";

const BATCH = { queue: queueOf("eko"), id: "b000000000" };
const SEAT_MS = 100;

interface Held {
  readonly row: number;
  readonly token: string;
  till: number;
}

it("gives no sender to two seats at once, the one first whose code is due, and one whose seat is silent to another", async () => {
  await using redis = await startTestRedis();
  const client = redis.client();
  const key = `satyapan:{eko-0}:batch:${BATCH.id}`;
  const seats = new SeatStore(client, SEAT_MS);
  const command = fc.oneof(
    fc.record({ kind: fc.constant("next" as const) }),
    fc.record({ kind: fc.constant("keep" as const), at: fc.nat(9) }),
    fc.record({ kind: fc.constant("giveBack" as const), at: fc.nat(9), afterMs: fc.constantFrom(0, 150) }),
    fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(80) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 30 }), fc.integer({ min: 0, max: 4 }), async (commands, rows) => {
      await client.del(`${key}:awaited`, `${key}:seats`);
      // The last row's code is due first.
      for (let row = 1; row <= rows; row += 1) await client.zadd(`${key}:awaited`, -row, row);
      let [now, tokens] = [1_000, 0];
      // The model: who has which row, until when; and all tokens that ever were.
      const held = new Map<number, Held>();
      const known: Held[] = [];
      const isFree = (row: number): boolean => (held.get(row)?.till ?? 0) <= now;
      for (const one of commands) {
        if (one.kind === "wait") now += one.ms;
        if (one.kind === "next") {
          const free = Array.from({ length: rows }, (_, index) => rows - index).filter(isFree);
          const token = `t${tokens++}`;
          const row = await seats.next(BATCH, token, now);
          expect(row).toBe(free[0] ?? null);
          if (row === null) continue;
          const mine = { row, token, till: now + SEAT_MS };
          held.set(row, mine);
          known.push(mine);
        }
        if (one.kind === "keep" || one.kind === "giveBack") {
          const mine = known[one.at % Math.max(1, known.length)];
          if (mine === undefined) continue;
          const stands = held.get(mine.row) === mine;
          const answer =
            one.kind === "keep"
              ? await seats.keep(BATCH, mine.row, mine.token, now)
              : await seats.giveBack(BATCH, mine.row, mine.token, now + one.afterMs);
          expect(answer).toBe(stands);
          if (!stands) continue;
          if (one.kind === "keep") mine.till = now + SEAT_MS;
          else held.set(mine.row, { row: mine.row, token: "", till: now + one.afterMs });
        }
      }
    }),
    { numRuns: 60 },
  );
});
