import { Counter, type Registry } from "prom-client";
import { DROP_REASONS, type DropReason } from "./tracing/span-queue.ts";

/** What becomes of the spans of traces; all 0 where there are none. */
export class TraceMetrics {
  readonly #exported: Counter;
  readonly #dropped: Counter<"reason">;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#exported = new Counter({
      name: "satyapan_spans_exported_total",
      help: "Spans of traces that the collector took; always 0 without OTEL_EXPORTER_OTLP_ENDPOINT.",
      registers,
    });
    this.#dropped = new Counter({
      name: "satyapan_spans_dropped_total",
      help: "Spans that were not told: too many waited, the collector did not take them, or Redis did not say whose they are.",
      labelNames: ["reason"],
      registers,
    });
    for (const reason of DROP_REASONS) this.#dropped.inc({ reason }, 0);
  }

  exported(count: number): void {
    this.#exported.inc(count);
  }

  dropped(count: number, reason: DropReason): void {
    this.#dropped.inc({ reason }, count);
  }
}
