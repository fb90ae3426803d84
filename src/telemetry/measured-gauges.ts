import { Counter, Gauge, type Registry } from "prom-client";

/** Said in the help of what one worker measures for all. */
export const ALIKE = "every worker says the same: join by max";

/** Gauges, and counters that are kept elsewhere, of one measurement: what was not measured is absent, never as it was before. */
export class MeasuredGauges {
  readonly #registers: [Registry];
  readonly #all: (Gauge | Counter)[] = [];

  constructor(registry: Registry) {
    this.#registers = [registry];
  }

  gauge<Label extends string = never>(name: string, help: string, labelNames: Label[] = []): Gauge<Label> {
    const gauge = new Gauge<Label>({ name, help, labelNames, registers: this.#registers });
    this.#all.push(gauge);
    empty(gauge);
    return gauge;
  }

  /** One whose value is read anew each time. */
  counter<Label extends string = never>(name: string, help: string, labelNames: Label[] = []): Counter<Label> {
    const counter = new Counter<Label>({ name, help, labelNames, registers: this.#registers });
    this.#all.push(counter);
    empty(counter);
    return counter;
  }

  clear(): void {
    for (const metric of this.#all) empty(metric);
  }
}

function empty(metric: Gauge | Counter): void {
  metric.reset();
  // Without labels a reset sets it to 0.
  metric.remove({});
}
