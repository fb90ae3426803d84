/** A call as an example of those in its bucket. */
export interface Exemplar {
  readonly traceId: string;
  readonly seconds: number;
  /** When it ended, ms since 1970. */
  readonly at: number;
}

/**
 * The newest call of each bucket whose trace is kept. Apart from the histogram, because prom-client's own cost each call as much again
 * as the count, and change the names of counters for good once OpenMetrics was asked for.
 */
export class Exemplars {
  readonly #buckets: readonly number[];
  /** By series, then by bucket; the last is `+Inf`. */
  readonly #newest = new Map<string, (Exemplar | undefined)[]>();

  /** `buckets`: upper bounds, ascending. */
  constructor(buckets: readonly number[]) {
    this.#buckets = buckets;
  }

  note(series: string, exemplar: Exemplar): void {
    let bucket = 0;
    while (bucket < this.#buckets.length && exemplar.seconds > (this.#buckets[bucket] ?? Infinity)) bucket++;
    let newest = this.#newest.get(series);
    if (newest === undefined) {
      newest = Array.from({ length: this.#buckets.length + 1 }, () => undefined);
      this.#newest.set(series, newest);
    }
    newest[bucket] = exemplar;
  }

  /** `le`: as an exposition says it. */
  of(series: string, le: string): Exemplar | null {
    const index = le === "+Inf" ? this.#buckets.length : this.#buckets.indexOf(Number(le));
    return this.#newest.get(series)?.[index] ?? null;
  }
}
