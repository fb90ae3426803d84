import { pino, type DestinationStream } from "pino";
import { describeError } from "./describe-error.ts";
import type { Facts, FieldSpec, LineLevel, LogEvent } from "./log/log-event.ts";
import type { LOG_EVENTS } from "./log/log-events.ts";
import { type After, RareLog, unreffed } from "./rare-log.ts";
import type { LogLevel } from "./settings.ts";

type Events = typeof LOG_EVENTS;
type FactsOf<Message extends keyof Events> =
  Events[Message] extends LogEvent<LineLevel, infer Fields extends FieldSpec> ? Facts<Fields> : never;

/** The messages of that level which are said for each event, or at most once a minute. */
type MessageOf<Level extends LineLevel, Rare extends boolean> = {
  [Message in keyof Events]: Events[Message] extends LogEvent<Level, FieldSpec, Rare> ? Message : never;
}[keyof Events];

/** Says one event of the table, with its facts and no others. */
type Say<Level extends LineLevel, Rare extends boolean> = <
  Message extends MessageOf<Level, Rare>,
  Given extends FactsOf<Message>,
>(
  facts: Given & Readonly<Record<Exclude<keyof Given, keyof FactsOf<Message>>, never>>,
  message: Message,
) => void;

type Sayings<Rare extends boolean> = { readonly [Level in LineLevel]: Say<Level, Rare> };

/** The log: it says what the table has (`LOG_EVENTS`), and nothing else. */
export interface Logger extends Sayings<false> {
  /** For what may come by the thousand: at most one line a minute for each cause, with how often it came. */
  readonly rarely: Sayings<true>;
}

/**
 * JSON lines: fixed messages, facts as fields. What is personal is a `Secret` and prints as its mask, so there is no list
 * of paths to redact. Times are ISO 8601 in UTC.
 */
export function createLogger(level: LogLevel, destination: DestinationStream, after: After = unreffed): Logger {
  const lines = pino(
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
  return Object.assign(lines, { rarely: new RareLog(lines, after) });
}
