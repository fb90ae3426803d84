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

  it("sends what is asked for while that is under way when it has been answered, together, in order", async () => {
    const sent: (readonly number[])[] = [];
    const answered: (() => void)[] = [];
    const batch = new SharedRoundTrip<number, number>(async (asks) => {
      sent.push(asks);
      await new Promise<void>((resolve) => void answered.push(resolve));
      return asks;
    });
    const asked = [batch.ask(1)];
    await setImmediate();
    for (const ask of [2, 3]) {
      asked.push(batch.ask(ask));
      await setImmediate();
    }
    expect(sent).toEqual([[1]]);
    answered[0]?.();
    await expect.poll(() => sent).toEqual([[1], [2, 3]]);
    answered[1]?.();
    expect(await Promise.all(asked)).toEqual([1, 2, 3]);
    const later = batch.ask(4);
    await setImmediate();
    answered[2]?.();
    expect([await later, sent.at(-1)]).toEqual([4, [4]]);
  });

  it("sends what waits, too, when what was under way failed", async () => {
    const { batch, sent } = setup((asks) => asks.includes(1));
    const first = batch.ask(1);
    await setImmediate();
    expect(await Promise.allSettled([first, batch.ask(2)])).toMatchObject([{ status: "rejected" }, { value: 4 }]);
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
