import { pino, type DestinationStream, type Logger } from "pino";
import type { LogLevel } from "./settings.ts";
import { describeError } from "./describe-error.ts";

export type { Logger };

/**
 * JSON lines: fixed messages, facts as fields. What is personal is a `Secret` and prints as its mask, so there is no list
 * of paths to redact. Times are ISO 8601 in UTC.
 */
export function createLogger(level: LogLevel, destination: DestinationStream): Logger {
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      // An error is logged by code, name and stack frames: its message may quote what a provider or a person wrote.
      serializers: { err: describeError },
    },
    destination,
  );
}
