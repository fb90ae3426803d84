import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Claimant, FairShare } from "../../../src/batches/share.ts";

const batch = (id: string, tenant = "a", weight = 1, rows = 1_000_000): Claimant => ({ id, tenant, weight, rows });

/** What each batch got in so many rounds of so many places. */
function run(
  share: FairShare,
  claimants: readonly Claimant[],
  rounds: number,
  places: number,
  tenants = new Map<string, number>(),
) {
  const total = new Map<string, number>();
  for (let round = 0; round < rounds; round += 1)
    for (const [id, rows] of share.divide(places, claimants, tenants)) total.set(id, (total.get(id) ?? 0) + rows);
  return total;
}

function jain(values: readonly number[]): number {
  const sum = values.reduce((a, b) => a + b, 0);
  return sum ** 2 / (values.length * values.reduce((a, b) => a + b ** 2, 0));
}

describe("the share of batches", () => {
  it("is the same for nine of equal weight, however many places are free at once (Jain's index 0.9999)", () => {
    for (const places of [1, 7, 16, 64]) {
      const nine = Array.from({ length: 9 }, (_, n) => batch(`b${n}`));
      expect(jain([...run(new FairShare(), nine, 1_000, places).values()])).toBeGreaterThan(0.9999);
    }
  });

  it("follows their weights, 1:2:4, and a change of them at once", () => {
    const share = new FairShare();
    const weighted = (a: number, b: number, c: number) => [batch("x", "a", a), batch("y", "a", b), batch("z", "a", c)];
    const shares = (total: Map<string, number>) => ["x", "y", "z"].map((id) => (total.get(id) ?? 0) / 7_000);
    expect(shares(run(share, weighted(1, 2, 4), 700, 10)).map((one) => Math.round(one * 700) / 100)).toEqual([1, 2, 4]);
    expect(shares(run(share, weighted(4, 2, 1), 700, 10)).map((one) => Math.round(one * 700) / 100)).toEqual([4, 2, 1]);
    expect(shares(run(share, weighted(0.1, 0.2, 0.4), 700, 10)).map((one) => Math.round(one * 700) / 100)).toEqual([
      1, 2, 4,
    ]);
  });

  it("is first divided among tenants: one with nine batches gets no more than one with one", () => {
    const many = Array.from({ length: 9 }, (_, n) => batch(`m${n}`, "many"));
    const total = run(new FairShare(), [...many, batch("one", "few")], 100, 18);
    expect(total.get("one")).toBe(900);
    const weighted = run(new FairShare(), [...many, batch("one", "few")], 100, 20, new Map([["few", 3]]));
    expect(weighted.get("one")).toBe(1_500);
  });

  it("lets nobody save up who had nothing to do", () => {
    const share = new FairShare();
    run(share, [batch("x")], 100, 10);
    expect(run(share, [batch("x"), batch("y")], 1, 10)).toEqual(
      new Map([
        ["x", 5],
        ["y", 5],
      ]),
    );
  });

  it("gives no more than the places there are, nor than a batch has rows, and leaves no place free that is wanted", () => {
    const claimant = fc.record({
      id: fc.uuid(),
      tenant: fc.constantFrom("a", "b", "c"),
      weight: fc.double({ min: 0.01, max: 100, noNaN: true }),
      rows: fc.nat(20),
    });
    fc.assert(
      fc.property(fc.nat(100), fc.array(claimant, { maxLength: 8 }), (places, claimants) => {
        const given = new FairShare().divide(places, claimants, new Map());
        const wanted = claimants.reduce((sum, { rows }) => sum + rows, 0);
        expect([...given.values()].reduce((a, b) => a + b, 0)).toBe(Math.min(places, wanted));
        for (const { id, rows } of claimants) expect(given.get(id) ?? 0).toBeLessThanOrEqual(rows);
      }),
    );
  });
});
