import { setImmediate } from "node:timers/promises";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SharedRoundTrip } from "../../../src/redis/round-trip.ts";

/** A batch whose every ask is answered with its double, and what was sent. */
function setup(fails: (asks: readonly number[]) => boolean = () => false) {
  const sent: (readonly number[])[] = [];
  const batch = new SharedRoundTrip<number, number>(async (asks) => {
    sent.push(asks);
    await setImmediate();
    if (fails(asks)) throw new Error(`no answer for ${asks.length}`);
    return asks.map((ask) => 2 * ask);
  });
  return { batch, sent };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe("SharedRoundTrip", () => {
  it("sends what is asked for within one turn at once, in order, and gives each its own answer", async () => {
    const { batch, sent } = setup();
    const answers = await Promise.all([
      batch.ask(3),
      Promise.resolve().then(async () => await batch.ask(1)),
      batch.ask(2),
    ]);
    expect(answers).toEqual([6, 2, 4]);
    expect(sent).toEqual([[3, 2, 1]]);
  });

  it("sends what is asked for in another turn by itself, though the first is not answered yet", async () => {
    const { batch, sent } = setup();
    const first = batch.ask(1);
    await setImmediate();
    const second = batch.ask(2);
    expect(await Promise.all([first, second])).toEqual([2, 4]);
    expect(sent).toEqual([[1], [2]]);
  });

  it("sends no more than 32 at once, however many there are", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 200 }), async (count) => {
        const { batch, sent } = setup();
        const answers = await Promise.all(upTo(count).map(async (ask) => await batch.ask(ask)));
        expect(answers).toEqual(upTo(count).map((ask) => 2 * ask));
        expect(sent.flat()).toEqual(upTo(count));
        expect(sent.map(({ length }) => length).slice(0, -1)).toEqual(upTo(sent.length - 1).map(() => 32));
        expect(sent).toHaveLength(Math.ceil(count / 32));
      }),
      { numRuns: 50 },
    );
  });

  it("rejects all that went together where they could not be sent, and no others", async () => {
    const { batch } = setup((asks) => asks.includes(40));
    const results = await Promise.allSettled(upTo(70).map(async (ask) => await batch.ask(ask)));
    const failed = results.flatMap(({ status }, index) => (status === "rejected" ? [index] : []));
    expect(failed).toEqual(upTo(32).map((index) => index + 32));
    expect(results[40]).toMatchObject({ reason: { message: "no answer for 32" } });
    expect(await batch.ask(7)).toBe(14);
  });
});
