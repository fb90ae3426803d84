import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
// No collector is on npm or in Debian: this is OpenTelemetry's own generated reader of what one is sent.
import protocol from "@opentelemetry/otlp-proto-exporter-base/build/src/generated/root.js";

interface Reader {
  decode(bytes: Uint8Array): object;
  toObject(message: object, how: object): object;
}
const { ExportTraceServiceRequest } = (
  protocol as unknown as {
    opentelemetry: { proto: { collector: { trace: { v1: { ExportTraceServiceRequest: Reader } } } } };
  }
).opentelemetry.proto.collector.trace.v1;

export interface CollectedSpan {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  /** "" for a root. */
  readonly parentId: string;
  readonly name: string;
  readonly kind: string;
  /** Ms since 1970. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly isFailed: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

export interface Collector extends AsyncDisposable {
  readonly endpoint: string;
  /** All that it took. */
  readonly spans: CollectedSpan[];
  readonly headers: IncomingHttpHeaders[];
  /** All that it was sent, as bytes. */
  readonly bodies: Buffer[];
  /** Requests that came, whatever was answered. */
  readonly asked: number;
  /** The status of its next answers; null: it never answers. */
  answer: number | null;
}

/** A collector of traces on a real socket: it takes OTLP over HTTP in protobuf, as any. */
export async function startCollector(port = 0): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const bodies: Buffer[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request);
    state.asked++;
    headers.push(request.headers);
    bodies.push(body);
    if (state.answer === null) return;
    const isTraces = request.method === "POST" && request.url === "/v1/traces";
    if (state.answer === 200 && isTraces) spans.push(...read(body));
    response.writeHead(isTraces ? state.answer : 404).end();
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const state = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ spans, headers, bodies, asked: 0, answer: 200 as number | null },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return state;
}

function read(body: Buffer): CollectedSpan[] {
  const request = ExportTraceServiceRequest.toObject(ExportTraceServiceRequest.decode(body), {
    ...{ enums: String, longs: Number, bytes: Array, defaults: true },
  }) as Request;
  return request.resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span): CollectedSpan => ({
        service: String(attributesOf(resource.attributes)["service.name"]),
        ...{ traceId: hex(span.traceId), spanId: hex(span.spanId), parentId: hex(span.parentSpanId) },
        ...{ name: span.name, kind: span.kind.replace("SPAN_KIND_", "").toLowerCase() },
        ...{ startedAt: msOf(span.startTimeUnixNano), endedAt: msOf(span.endTimeUnixNano) },
        isFailed: span.status.code === "STATUS_CODE_ERROR",
        attributes: attributesOf(span.attributes),
        links: span.links.map(({ traceId, spanId }) => ({ traceId: hex(traceId), spanId: hex(spanId) })),
      })),
    ),
  );
}

interface Request {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly { readonly spans: readonly RawSpan[] }[];
  }[];
}

interface RawSpan {
  readonly traceId: readonly number[];
  readonly spanId: readonly number[];
  readonly parentSpanId: readonly number[];
  readonly name: string;
  readonly kind: string;
  readonly startTimeUnixNano: number;
  readonly endTimeUnixNano: number;
  readonly status: { readonly code: string };
  readonly attributes: readonly KeyValue[];
  readonly links: readonly { readonly traceId: readonly number[]; readonly spanId: readonly number[] }[];
}

interface KeyValue {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** Of a value's fields, one is there; the others have their defaults. */
function attributesOf(all: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(
    all.map(({ key, value }) => [key, Object.values(value).find((one) => one !== null && one !== undefined)]),
  );
}

/** To a hundredth: a number of JavaScript has no more of it. */
function msOf(nano: number): number {
  return Math.round(nano / 1e4) / 100;
}

function hex(bytes: readonly number[]): string {
  return Buffer.from(bytes).toString("hex");
}
