import { pino, type DestinationStream, type Logger } from "pino";
import type { LogLevel } from "../config/settings.ts";
import { refusalWord } from "../redis/refusal.ts";

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

export interface DescribedError {
  readonly name: string;
  readonly code?: string;
  /** What Redis refused with, by the first word of its answer. */
  readonly redis?: string;
  readonly at?: string;
}

/** Code, name and first frame: all that is said of an error. */
export function describeError(error: unknown): DescribedError {
  if (!(error instanceof Error)) return { name: typeof error };
  const at = error.stack?.split("\n").find((line) => line.trimStart().startsWith("at "));
  const redis = refusalWord(error);
  return {
    name: error.name,
    ...(redis === null ? {} : { redis }),
    ...("code" in error && typeof error.code === "string" ? { code: error.code } : {}),
    ...(at === undefined ? {} : { at: at.trim() }),
  };
}
