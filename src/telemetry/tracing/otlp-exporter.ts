import { type HrTime, SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { TracingSettings } from "./settings.ts";
import type { Span } from "./span.ts";

// Loaded only where tracing is on: it takes 20 ms and some MB.

const KINDS = { internal: SpanKind.INTERNAL, client: SpanKind.CLIENT, producer: SpanKind.PRODUCER } as const;
const SCOPE = { name: "satyapan" };

export interface OtlpExporter {
  /** Rejects with an Error whose `code` says how it failed, in a word. */
  send(spans: readonly Span[]): Promise<void>;
  close(): Promise<void>;
}

/** The longest that a collector may take for some spans, retries included, in ms. */
const TIMEOUT_MS = 5_000;

/** Sends spans to a collector as OTLP over HTTP, in protobuf. `traces`: its address for them. */
export function openOtlpExporter(traces: URL, { headers, serviceName }: TracingSettings): OtlpExporter {
  const exporter = new OTLPTraceExporter({
    url: traces.href,
    headers: headersOf(headers?.open() ?? ""),
    timeoutMillis: TIMEOUT_MS,
    // One at a time: the queue waits for it.
    concurrencyLimit: 1,
  });
  const resource = resourceFromAttributes({ "service.name": serviceName });
  return {
    async send(spans) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      exporter.export(
        spans.map((span) => readable(span, resource)),
        ({ error }) => (error === undefined ? resolve() : reject(failure(error))),
      );
      await promise;
    },
    async close() {
      await exporter.shutdown();
    },
  };
}

/** `name=value,…`, values as in a URL, as OpenTelemetry has it. */
function headersOf(text: string): Record<string, string> {
  const pairs = text.split(",").map((pair) => pair.split("="));
  return Object.fromEntries(
    pairs.flatMap(([name = "", ...value]) => (value.length === 0 ? [] : [[name.trim(), decoded(value.join("="))]])),
  );
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value.trim());
  } catch {
    return value.trim();
  }
}

function readable(span: Span, resource: ReadableSpan["resource"]): ReadableSpan {
  const { traceId, spanId, parentId, name, kind, startedAt, endedAt, attributes, isFailed, link } = span;
  const traceFlags = TraceFlags.SAMPLED;
  const given = Object.entries(attributes).flatMap(([key, value]) => (value === null ? [] : [[key, value] as const]));
  return {
    ...{ name, kind: KINDS[kind], resource, instrumentationScope: SCOPE, ended: true, events: [] },
    links: link === undefined ? [] : [{ context: { ...link, traceFlags } }],
    spanContext: () => ({ traceId, spanId, traceFlags }),
    ...(parentId === null ? {} : { parentSpanContext: { traceId, spanId: parentId, traceFlags } }),
    ...{ startTime: hrTime(startedAt), endTime: hrTime(endedAt), duration: hrTime(Math.max(0, endedAt - startedAt)) },
    status: { code: isFailed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: Object.fromEntries(given),
    ...{ droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 },
  };
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1_000_000)];
}

/** Its HTTP status or its code: its message may hold what the collector wrote. */
function failure(error: Error): Error {
  const code = "code" in error ? error.code : undefined;
  const word = typeof code === "number" ? `HTTP_${code}` : typeof code === "string" ? code : "NO_ANSWER";
  return Object.assign(new Error("the collector did not take them"), { code: word });
}
