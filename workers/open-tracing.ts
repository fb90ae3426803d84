import type { Settings } from "../src/config/settings.ts";
import { RecordStore } from "../src/records/record-store.ts";
import { Traces } from "../src/records/traces.ts";
import type { RedisClient } from "../src/redis/connection.ts";
import type { Logger } from "../src/telemetry/logger.ts";
import type { Metrics } from "../src/telemetry/metrics.ts";
import { SpanQueue } from "../src/telemetry/tracing/span-queue.ts";
import { closeInTime } from "./shutdown.ts";
import { Tracing } from "./tracing.ts";

export interface OpenTracingDeps {
  readonly settings: Settings;
  /** A connection of the client's role: it fails fast. */
  readonly redis: RedisClient;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Opens what is asked for onto `started`; null: there are no traces. OpenTelemetry is only loaded where there are. */
export async function openTracing(
  { settings, redis, logger, metrics }: OpenTracingDeps,
  started: AsyncDisposableStack,
): Promise<Tracing | null> {
  if (settings.tracing === null) return null;
  const { endpoint, share } = settings.tracing;
  const address = tracesOf(endpoint);
  if (address === null) {
    logger.warn({}, "tracing stays off: OTEL_EXPORTER_OTLP_ENDPOINT is no http or https URL");
    return null;
  }
  const { openOtlpExporter } = await import("../src/telemetry/tracing/otlp-exporter.ts");
  const exporter = openOtlpExporter(address, settings.tracing);
  started.defer(async () => await closeInTime(exporter.close()));
  const collector = address.host;
  let isFailing = false;
  const spans = new SpanQueue({
    send: async (some) => await exporter.send(some),
    onSent: (count) => {
      metrics.traces.exported(count);
      if (isFailing) logger.rarely.info({ collector }, "spans are exported again");
      isFailing = false;
    },
    onDropped: (count, reason, err) => {
      metrics.traces.dropped(count, reason);
      if (err === null) return;
      isFailing = true;
      const code = "code" in err ? String(err.code) : err.name;
      logger.rarely.warn({ collector, code }, "spans cannot be exported: they are dropped and counted");
    },
  });
  started.defer(async () => await spans.close());
  const records = new RecordStore(redis, settings.retention);
  const tracing = new Tracing({
    ...{ spans, records, traces: new Traces({ redis, records, keptMs: settings.retention.recordMs, share }) },
    hosts: {
      ...(settings.eko === null ? {} : { eko: settings.eko.baseUrl }),
      ...(settings.deepvue === null ? {} : { deepvue: settings.deepvue.baseUrl }),
    },
    onUnplaced: () => metrics.traces.dropped(1, "unplaced"),
  });
  started.defer(async () => await closeInTime(tracing.close()));
  logger.info({ collector, share }, "tracing is on");
  return tracing;
}

/** Where the collector takes traces, by OpenTelemetry's rule for this setting; null: it is no address. */
function tracesOf(endpoint: string): URL | null {
  const url = URL.parse(`${endpoint.replace(/\/+$/, "")}/v1/traces`);
  return url !== null && /^https?:$/.test(url.protocol) ? url : null;
}
