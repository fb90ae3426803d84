import type { Counter } from "prom-client";

/** Without a scrape for so long nobody would see a rise from 0, in ms. */
const UNSEEN_MS = 120_000;

interface Series {
  readonly child: Counter.Internal;
  /** Counted, and not shown yet. */
  pending: number;
  isOpen: boolean;
}

/**
 * A counter whose label sets are not all known before they occur. A series that begins with its first count has nothing to
 * rise from, so that Prometheus never sees that count: here it is shown as 0 once, and counts from the next scrape on. With
 * nobody who scrapes regularly all is shown at once.
 */
export class HeldBackCounter<Label extends string> {
  readonly #counter: Counter<Label>;
  readonly #monotonic: () => number;
  readonly #series = new Map<string, Series>();
  readonly #held = new Set<Series>();
  #shownAt = Number.NEGATIVE_INFINITY;

  /** `monotonic`: ms of a clock that never jumps. */
  constructor(counter: Counter<Label>, monotonic: () => number) {
    this.#counter = counter;
    this.#monotonic = monotonic;
  }

  /** How many series there are. */
  get size(): number {
    return this.#series.size;
  }

  has(key: string): boolean {
    return this.#series.has(key);
  }

  /** It is there from now on, at 0. */
  begin(key: string, labels: Record<Label, string>): void {
    this.#of(key, labels).isOpen = true;
  }

  /** `key`: one for each label set. */
  inc(key: string, labels: Record<Label, string>): void {
    const series = this.#of(key, labels);
    if (series.isOpen) {
      series.child.inc();
      return;
    }
    if (this.#monotonic() - this.#shownAt > UNSEEN_MS) {
      series.isOpen = true;
      series.child.inc();
      return;
    }
    series.pending++;
    this.#held.add(series);
  }

  /** A scrape was answered: what it had as 0 counts from now on. */
  shown(): void {
    this.#shownAt = this.#monotonic();
    for (const series of this.#held) {
      series.isOpen = true;
      series.child.inc(series.pending);
    }
    this.#held.clear();
  }

  #of(key: string, labels: Record<Label, string>): Series {
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const series: Series = { child: this.#counter.labels(labels), pending: 0, isOpen: false };
    series.child.inc(0);
    this.#series.set(key, series);
    return series;
  }
}
