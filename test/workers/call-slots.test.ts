import { describe, expect, it } from "vitest";
import type { Lane } from "../../src/outcomes/lane.ts";
import { CallSlots } from "../../workers/call-slots.ts";

/** Slots with work in them that ends when it is told to. */
function newSlots(most: number, floorEvery = 9) {
  const slots = new CallSlots(most, floorEvery);
  const begun: string[] = [];
  const ends: PromiseWithResolvers<void>[] = [];
  const use = async (lane: Lane, name: string): Promise<void> =>
    await slots.use(lane, async () => {
      begun.push(name);
      const end = Promise.withResolvers<void>();
      ends.push(end);
      await end.promise;
    });
  /** The one that began first ends, well or not, and what follows from it has happened. */
  const endOne = async (error?: Error): Promise<void> => {
    const end = ends.shift();
    if (error === undefined) end?.resolve();
    else end?.reject(error);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { slots, begun, use, endOne };
}

describe("the slots of a process", () => {
  it("are never more than there are, and each that ends lets one in, in order", async () => {
    const { begun, use, endOne } = newSlots(2);
    const works = ["a", "b", "c", "d"].map(async (name) => await use("bulk", name));
    expect(begun).toEqual(["a", "b"]);
    await endOne();
    expect(begun).toEqual(["a", "b", "c"]);
    for (let n = 0; n < 3; n += 1) await endOne();
    await Promise.all(works);
    expect(begun).toEqual(["a", "b", "c", "d"]);
  });

  it("are free again after work that failed", async () => {
    const { begun, use, endOne } = newSlots(1);
    const failed = use("bulk", "a");
    const seen = expect(failed).rejects.toThrow("broken");
    const next = use("bulk", "b");
    await endOne(new Error("broken"));
    await seen;
    expect(begun).toEqual(["a", "b"]);
    await endOne();
    await next;
    const last = use("bulk", "c");
    expect(begun).toEqual(["a", "b", "c"]);
    await endOne();
    await last;
  });

  it("go to interactive work before bulk that came first, but for one of ten", async () => {
    const { begun, use, endOne } = newSlots(1);
    const works = [use("interactive", "first")];
    for (let n = 0; n < 10; n += 1) works.push(use("bulk", "b"));
    for (let n = 0; n < 30; n += 1) works.push(use("interactive", "i"));
    for (let n = 0; n < works.length; n += 1) await endOne();
    await Promise.all(works);
    const order = begun.slice(1).join("");
    expect(order).toBe(`${`${"i".repeat(9)}b`.repeat(3)}iii${"b".repeat(7)}`);
  });

  it("do not save up turns for bulk while none waits", async () => {
    const { begun, use, endOne } = newSlots(1);
    const works = [use("interactive", "first")];
    for (let n = 0; n < 30; n += 1) works.push(use("interactive", "i"));
    for (let n = 0; n < 20; n += 1) await endOne();
    works.push(use("bulk", "b"));
    for (let n = 20; n < works.length; n += 1) await endOne();
    await Promise.all(works);
    expect(begun.slice(1).join("")).toBe(`${"i".repeat(20 + 9)}bi`);
  });
});
