import type { Gauge, Registry } from "prom-client";
import type { LastBeat } from "../queues/last-beat.ts";
import { ALIKE, MeasuredGauges } from "./measured-gauges.ts";

/** Whether jobs go the whole way. */
export class HeartbeatMetrics {
  readonly #gauges: MeasuredGauges;
  readonly #age: Gauge;
  readonly #took: Gauge;

  constructor(registry: Registry) {
    this.#gauges = new MeasuredGauges(registry);
    this.#age = this.#gauges.gauge(
      "satyapan_heartbeat_age_seconds",
      `Time since a heartbeat went the whole way, in seconds; absent without HEARTBEAT_BASE_URL; ${ALIKE}.`,
    );
    this.#took = this.#gauges.gauge(
      "satyapan_heartbeat_seconds",
      `How long the last one took, from when it was made to when its end was written, in seconds; ${ALIKE}.`,
    );
  }

  /** Null: there is none, or Redis does not tell. */
  show(last: LastBeat | null, now: number): void {
    this.#gauges.clear();
    if (last === null) return;
    this.#age.set(Math.max(0, now - last.at) / 1_000);
    if (last.tookMs !== null) this.#took.set(last.tookMs / 1_000);
  }
}
