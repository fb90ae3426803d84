/**
 * Deficit round robin: whoever is first in line spends what it has, one at a time, and goes to the end, where it gets as much again
 * as its weight. What it could not spend it keeps; who has nothing to do leaves the line and keeps nothing.
 */
class Line {
  #order: string[] = [];
  readonly #left = new Map<string, number>();

  /** Whose turn it is among `weights`; undefined: nobody's. */
  next(weights: ReadonlyMap<string, number>): string | undefined {
    this.#enter(weights);
    const least = Math.min(...weights.values());
    for (;;) {
      const [first] = this.#order;
      if (first === undefined) return undefined;
      const left = this.#left.get(first) ?? 0;
      if (left >= 1) {
        this.#left.set(first, left - 1);
        return first;
      }
      // The smallest weight is one turn: nobody waits for more than one round.
      this.#order = [...this.#order.slice(1), first];
      this.#left.set(first, left + (weights.get(first) ?? 0) / least);
    }
  }

  #enter(weights: ReadonlyMap<string, number>): void {
    this.#order = this.#order.filter((name) => weights.has(name));
    for (const name of this.#left.keys()) if (!weights.has(name)) this.#left.delete(name);
    for (const name of weights.keys())
      if (!this.#left.has(name)) {
        this.#order.push(name);
        this.#left.set(name, 0);
      }
  }
}

/** A batch that has rows to hand over. */
export interface Claimant {
  readonly id: string;
  readonly tenant: string;
  readonly weight: number;
  /** Rows that it could hand over now. */
  readonly rows: number;
}

/** How free places are divided: first among tenants, then among each one's batches. Remembers whose turn it is. */
export class FairShare {
  readonly #tenants = new Line();
  readonly #batches = new Map<string, Line>();

  /** How many rows each batch hands over, by its id; together at most `places`. */
  divide(
    places: number,
    claimants: readonly Claimant[],
    tenantWeights: ReadonlyMap<string, number>,
  ): Map<string, number> {
    const given = new Map<string, number>();
    const open = new Map(claimants.filter(({ rows }) => rows > 0).map((claimant) => [claimant.id, claimant]));
    let byTenant = Map.groupBy(open.values(), ({ tenant }) => tenant);
    for (const tenant of this.#batches.keys()) if (!byTenant.has(tenant)) this.#batches.delete(tenant);
    for (let place = 0; place < places && open.size > 0; place += 1) {
      const weights = new Map([...byTenant.keys()].map((tenant) => [tenant, tenantWeights.get(tenant) ?? 1]));
      const tenant = this.#tenants.next(weights) ?? "";
      const line = this.#batches.get(tenant) ?? new Line();
      this.#batches.set(tenant, line);
      const id =
        line.next(new Map((byTenant.get(tenant) ?? []).map((claimant) => [claimant.id, claimant.weight]))) ?? "";
      const count = (given.get(id) ?? 0) + 1;
      given.set(id, count);
      if (count < (open.get(id)?.rows ?? 0)) continue;
      open.delete(id);
      byTenant = Map.groupBy(open.values(), (claimant) => claimant.tenant);
    }
    return given;
  }
}
