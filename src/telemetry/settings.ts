import { type ValuesOf, withDefault, withoutDefault } from "../base/setting.ts";
import { baseUrlSchema, choiceSchema, hostSchema, wholeNumberSchema } from "../base/text-schemas.ts";

/** Where `/metrics`, `/healthz` and `/readyz` are. */
export interface MetricsSettings {
  /** Where `metricsPort` is listened on: an address or a name of this machine. Default 127.0.0.1. */
  readonly metricsHost: string;
  /** Default 9464; 0 takes a free port. */
  readonly metricsPort: number;
  /** Where a job about nobody goes once a minute; null: there is none. */
  readonly heartbeatBaseUrl: URL | null;
}

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const LOG_FORMATS = ["json", "pretty"] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export const TELEMETRY_SETTINGS = {
  METRICS_PORT: withDefault(wholeNumberSchema(0, 65_535), "9464", {
    meaning: "Port of `/metrics`, `/healthz` and `/readyz`; `0` takes a free one.",
  }),
  METRICS_HOST: withDefault(hostSchema, "127.0.0.1", {
    meaning: "Address to listen on for them; `0.0.0.0` is all of this machine's, for those who ask from another one.",
  }),
  HEARTBEAT_BASE_URL: withoutDefault(baseUrlSchema, {
    meaning:
      "Where jobs about nobody go once a minute, the whole way that others go (`POST /heartbeat` below it; the simulator answers " +
      "it); never a provider. Unset: there are none.",
  }),
  LOG_LEVEL: withDefault(choiceSchema(...LOG_LEVELS), "info", {
    meaning: "Least level that is logged, to stderr.",
  }),
  LOG_FORMAT: withDefault(choiceSchema(...LOG_FORMATS), "json", {
    meaning:
      "`json`: a line of JSON each, for machines; `pretty`: for people, in colours on a terminal (not with `NO_COLOR`).",
  }),
};

export function metricsSettings(values: ValuesOf<typeof TELEMETRY_SETTINGS>): MetricsSettings {
  return {
    metricsHost: values.METRICS_HOST,
    metricsPort: values.METRICS_PORT,
    heartbeatBaseUrl: values.HEARTBEAT_BASE_URL ?? null,
  };
}
