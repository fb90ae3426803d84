import { describe, expect, it } from "vitest";
import { shareAnswer } from "../../workers/shared-answer.ts";

const LATE = (): Error => new Error("late");

describe("shareAnswer", () => {
  it("answers a hundred who ask at once by making it once, and the next one afresh", async () => {
    let made = 0;
    const gate = Promise.withResolvers<void>();
    const ask = shareAnswer(
      async () => {
        made++;
        await gate.promise;
        return made;
      },
      10_000,
      LATE,
    );
    const asked = Array.from({ length: 100 }, ask);
    gate.resolve();
    expect(await Promise.all(asked)).toEqual(Array.from({ length: 100 }, () => 1));
    expect(await ask()).toBe(2);
  });

  it("gives one that hangs up after its time, and asks anew", async () => {
    let made = 0;
    const ask = shareAnswer(async () => (++made === 1 ? await new Promise<never>(() => {}) : made), 20, LATE);
    await expect(Promise.all([ask(), ask()])).rejects.toThrow("late");
    expect(await ask()).toBe(2);
  });

  it("does not keep a failure", async () => {
    let made = 0;
    const ask = shareAnswer(async () => (++made === 1 ? await Promise.reject(new Error("away")) : made), 1_000, LATE);
    await expect(ask()).rejects.toThrow("away");
    expect(await ask()).toBe(2);
  });
});
