import { describe, expect, it } from "vitest";
import { Draw, seededRandom } from "../../simulator/draw.ts";

describe("Draw", () => {
  it("draws the same with the same seed, and something else with another", () => {
    const drawn = [7, 7, 8].map((seed) => {
      const draw = new Draw(seededRandom(seed));
      return [draw.digits(22), draw.hex(32), draw.uuid(), draw.between(1, 1_000_000)];
    });
    expect(drawn[0]).toEqual(drawn[1]);
    expect(drawn[0]).not.toEqual(drawn[2]);
  });

  it("gives exactly the length asked for, leading zeros included", () => {
    const smallest = new Draw(() => 0);
    expect(smallest.digits(22)).toBe("0".repeat(22));
    expect(smallest.hex(5)).toBe("00000");
    const largest = new Draw(() => 1 - Number.EPSILON);
    expect(largest.digits(10)).toBe("9".repeat(10));
    expect(largest.between(3, 5)).toBe(5);
  });

  it("draws UUIDs of version 4", () => {
    const draw = new Draw(seededRandom(1));
    expect(draw.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe("seededRandom", () => {
  it("fills the unit interval evenly", () => {
    const random = seededRandom(42);
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let n = 0; n < 10_000; n += 1) {
      const tenth = Math.floor(random() * 10);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    expect(Math.min(...tenths)).toBeGreaterThan(900);
    expect(Math.max(...tenths)).toBeLessThan(1_100);
  });
});
