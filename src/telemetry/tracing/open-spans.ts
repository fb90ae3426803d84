import type { TracingSettings } from "./settings.ts";
import { SpanQueue, type SpanQueueDeps } from "./span-queue.ts";

/** A way for spans to the collector. */
export interface OpenSpans {
  /** The collector's host and port. */
  readonly collector: string;
  readonly spans: SpanQueue;
  /** After `spans` is closed. */
  readonly closeExporter: () => Promise<void>;
}

/** Opens the way to the collector; null: its address is none. OpenTelemetry is loaded here, and nowhere where there are no traces. */
export async function openSpans(
  settings: TracingSettings,
  told: Pick<SpanQueueDeps, "onSent" | "onDropped">,
): Promise<OpenSpans | null> {
  const address = tracesOf(settings.endpoint);
  if (address === null) return null;
  const { openOtlpExporter } = await import("./otlp-exporter.ts");
  const exporter = openOtlpExporter(address, settings);
  const spans = new SpanQueue({ send: async (some) => await exporter.send(some), ...told });
  return { collector: address.host, spans, closeExporter: async () => await exporter.close() };
}

/** Where the collector takes traces, by OpenTelemetry's rule for this setting; null: it is no address. */
function tracesOf(endpoint: string): URL | null {
  const url = URL.parse(`${endpoint.replace(/\/+$/, "")}/v1/traces`);
  return url !== null && /^https?:$/.test(url.protocol) ? url : null;
}
