import { type ValuesOf, withDefault, withoutDefault } from "../../base/setting.ts";
import { Complaint, quote, textSchema, type TextSchema } from "../../base/text.ts";
import type { Secret } from "../../secrets/secret.ts";
import { secretSchema } from "../../secrets/secret-schema.ts";

/** Where spans go, by OpenTelemetry's own names. */
export interface TracingSettings {
  /** As it was given: a wrong one is a line of the log, and no reason not to work. */
  readonly endpoint: string;
  /** `name=value,…` for each request, such as a key of the collector's; null: none. */
  readonly headers: Secret | null;
  readonly serviceName: string;
  /** Of the traces that are kept, 0 to 1; each process keeps the same ones. */
  readonly share: number;
}

const anyText: TextSchema<string> = textSchema("http or https URL", (text) => text);
const nameSchema: TextSchema<string> = textSchema("1 to 255 characters", (text) =>
  /^\P{Cc}{1,255}$/u.test(text) ? text : new Complaint("must be 1 to 255 characters of one line"),
);
const ratioSchema: TextSchema<number> = textSchema("number, 0 to 1", (text) => {
  const ratio = /^\d(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  return ratio <= 1 ? ratio : new Complaint(`must be a number from 0 to 1, like 0.1, not ${quote(text)}`);
});

export const TRACING_SETTINGS = {
  OTEL_EXPORTER_OTLP_ENDPOINT: withoutDefault(anyText, {
    meaning:
      "Address of an OpenTelemetry collector (OTLP over HTTP), such as `http://localhost:4318`: traces go to `/v1/traces` below it. Unset: there are none. One that is wrong is said in the log, and stops nothing.",
  }),
  OTEL_EXPORTER_OTLP_HEADERS: withoutDefault(secretSchema, {
    secret: true,
    meaning: "Headers for the collector, `name=value,…`.",
  }),
  OTEL_SERVICE_NAME: withDefault(nameSchema, "satyapan", { meaning: "What traces say they are from." }),
  OTEL_TRACES_SAMPLER_ARG: withDefault(ratioSchema, "1", {
    meaning:
      "Share of the traces that are kept; every process keeps the same ones. A `traceparent` that was handed in decides by itself.",
  }),
};

/** Null: there are no traces. */
export function tracingSettings(values: ValuesOf<typeof TRACING_SETTINGS>): TracingSettings | null {
  if (values.OTEL_EXPORTER_OTLP_ENDPOINT === undefined) return null;
  return {
    endpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
    headers: values.OTEL_EXPORTER_OTLP_HEADERS ?? null,
    serviceName: values.OTEL_SERVICE_NAME,
    share: values.OTEL_TRACES_SAMPLER_ARG,
  };
}
