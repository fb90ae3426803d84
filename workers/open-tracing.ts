import type { Settings } from "../src/config/settings.ts";
import { RecordStore } from "../src/records/record-store.ts";
import { Traces } from "../src/records/traces.ts";
import type { RedisClient } from "../src/redis/connection.ts";
import type { Logger } from "../src/telemetry/logger.ts";
import type { Metrics } from "../src/telemetry/metrics.ts";
import { openSpans } from "../src/telemetry/tracing/open-spans.ts";
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
  let isFailing = false;
  const opened = await openSpans(settings.tracing, {
    onSent: (count) => {
      metrics.traces.exported(count);
      if (isFailing) logger.rarely.info({ collector: opened?.collector ?? "" }, "spans are exported again");
      isFailing = false;
    },
    onDropped: (count, reason, err) => {
      metrics.traces.dropped(count, reason);
      if (err === null) return;
      isFailing = true;
      const code = "code" in err ? String(err.code) : err.name;
      const facts = { collector: opened?.collector ?? "", code };
      logger.rarely.warn(facts, "spans cannot be exported: they are dropped and counted");
    },
  });
  if (opened === null) {
    logger.warn({}, "tracing stays off: OTEL_EXPORTER_OTLP_ENDPOINT is no http or https URL");
    return null;
  }
  const { collector, spans, closeExporter } = opened;
  const { share } = settings.tracing;
  started.defer(async () => await closeInTime(closeExporter()));
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
