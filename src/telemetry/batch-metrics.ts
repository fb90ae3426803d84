import { Counter, Gauge, type Registry } from "prom-client";
import { ALIKE, MeasuredGauges } from "./measured-gauges.ts";

/** Operators at the open batches of a queue, and senders whose codes are awaited. */
export interface SeatMeasures {
  /** Senders whom an operator has now. */
  readonly taken: number;
  /** Senders whom none has, and who may be talked to. */
  readonly unattended: number;
  /** Time until the first of their codes runs out, in seconds; null: there is none. */
  readonly firstLeft: number | null;
  /** How often each was decided, of all batches there ever were. */
  readonly decisions: Readonly<Record<string, number>>;
}

/** The open batches of a queue, all together. */
export interface BatchMeasures {
  /** How many, by state. */
  readonly open: Readonly<Record<string, number>>;
  /** By the row's state. */
  readonly rows: Readonly<Record<string, number>>;
  readonly seats: SeatMeasures;
}

/** Batches, of each queue all together: a batch is no label. */
export class BatchMetrics {
  readonly #gauges: MeasuredGauges;
  readonly #open: Gauge<"queue" | "state">;
  readonly #rows: Gauge<"queue" | "state">;
  readonly #taken: Gauge<"queue">;
  readonly #unattended: Gauge<"queue">;
  readonly #firstLeft: Gauge<"queue">;
  readonly #decisions: Counter<"queue" | "decision">;
  readonly #fed: Counter<"queue">;
  readonly #ended: Counter<"queue">;
  readonly #lag: Gauge<"queue">;
  readonly #miscounted: Gauge<"queue">;

  constructor(registry: Registry) {
    this.#gauges = new MeasuredGauges(registry);
    this.#open = this.#gauges.gauge("satyapan_batches_open", `Batches that have not ended, by state; ${ALIKE}.`, [
      ...(["queue", "state"] as const),
    ]);
    this.#rows = this.#gauges.gauge(
      "satyapan_batch_rows",
      `Rows of batches that have not ended, by the row's state; ${ALIKE}.`,
      [...(["queue", "state"] as const)],
    );
    this.#taken = this.#gauges.gauge(
      "satyapan_batch_senders_taken",
      `Senders of batches whom an operator has now (\`batch call\`); ${ALIKE}.`,
      ["queue"],
    );
    this.#unattended = this.#gauges.gauge(
      "satyapan_batch_senders_unattended",
      `Senders of batches whose code is awaited, whom no operator has, and whom none put off; ${ALIKE}.`,
      ["queue"],
    );
    this.#firstLeft = this.#gauges.gauge(
      "satyapan_batch_unattended_left_seconds",
      `Time until the first of their codes runs out, in seconds; absent with none; ${ALIKE}.`,
      ["queue"],
    );
    this.#decisions = this.#gauges.counter(
      "satyapan_operator_decisions_total",
      `What operators decided about senders, as Redis has counted it: code_right, code_wrong, code_over (none is taken any more), later, wrong_number, refused; ${ALIKE}.`,
      [...(["queue", "decision"] as const)],
    );
    const registers = [registry];
    this.#fed = new Counter({
      name: "satyapan_batch_rows_fed_total",
      help: "Rows that this worker handed to the queue while it fed it.",
      labelNames: ["queue"],
      registers,
    });
    this.#ended = new Counter({
      name: "satyapan_batch_rows_ended_total",
      help: "Rows that came to an end while this worker fed their queue.",
      labelNames: ["queue"],
      registers,
    });
    this.#lag = new Gauge({
      name: "satyapan_feeder_lag_seconds",
      help: "Time since this worker's last whole look at a queue's batches, in seconds; absent at those that do not feed.",
      labelNames: ["queue"],
      registers,
    });
    this.#miscounted = new Gauge({
      name: "satyapan_batch_rows_miscounted",
      help: "Rows of batches that are open, or ended within the hour, that are not in the state they are counted in; absent at those that do not feed. Always 0.",
      labelNames: ["queue"],
      registers,
    });
  }

  /** Shows this and nothing else, by queue. */
  show(all: ReadonlyMap<string, BatchMeasures | null>): void {
    this.#gauges.clear();
    for (const [queue, measures] of all) {
      if (measures === null) continue;
      const { open, rows, seats } = measures;
      for (const [state, count] of Object.entries(open)) this.#open.set({ queue, state }, count);
      for (const [state, count] of Object.entries(rows)) this.#rows.set({ queue, state }, count);
      this.#taken.set({ queue }, seats.taken);
      this.#unattended.set({ queue }, seats.unattended);
      if (seats.firstLeft !== null) this.#firstLeft.set({ queue }, seats.firstLeft);
      for (const [decision, count] of Object.entries(seats.decisions)) this.#decisions.inc({ queue, decision }, count);
    }
  }

  /** Both series are there from now on, at 0. */
  begin(queue: string): void {
    this.#fed.inc({ queue }, 0);
    this.#ended.inc({ queue }, 0);
  }

  fed(queue: string, rows: number): void {
    this.#fed.inc({ queue }, rows);
  }

  /** One row, after which nothing more comes of it by itself. */
  ended(queue: string): void {
    this.#ended.inc({ queue });
  }

  /** Null: this worker does not feed it. */
  lag(queue: string, seconds: number | null): void {
    if (seconds === null) this.#lag.remove({ queue });
    else this.#lag.set({ queue }, seconds);
  }

  /** Of all open batches of that queue, and those that ended of late. Null: this worker does not feed it. */
  counted(queue: string, rowsOff: number | null): void {
    if (rowsOff === null) this.#miscounted.remove({ queue });
    else this.#miscounted.set({ queue }, rowsOff);
  }
}
