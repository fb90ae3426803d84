import type { LogLevel } from "../settings.ts";
import type { LogFieldName, LogValue } from "./log-fields.ts";

/** `silent` is no level of a line; `trace` is nobody's. */
export type LineLevel = Exclude<LogLevel, "silent" | "trace">;

/** A field of a line; with `?` where some lines have it and others do not. */
export type FieldSpec = LogFieldName | `${LogFieldName}?`;

/** What may be said in the log: one kind of line. */
export interface LogEvent<
  Level extends LineLevel = LineLevel,
  Fields extends FieldSpec = FieldSpec,
  Rare extends boolean = boolean,
> {
  readonly level: Level;
  readonly fields: readonly Fields[];
  /** What makes two of them one cause, of which there is a line a minute; null: each is a transition of its own. */
  readonly cause: Rare extends true ? readonly Fields[] : null;
  /** For people: what happened, and what follows from it. */
  readonly means: string;
}

/** One line for each. */
export function each<const Level extends LineLevel, const Fields extends FieldSpec = never>(
  level: Level,
  fields: readonly Fields[],
  means: string,
): LogEvent<Level, Fields, false> {
  return { level, fields, cause: null, means };
}

/** At most one line a minute for each cause: what those fields say. */
export function rarely<const Level extends LineLevel, const Fields extends FieldSpec = never>(
  level: Level,
  fields: readonly Fields[],
  cause: readonly NoInfer<Fields>[],
  means: string,
): LogEvent<Level, Fields, true> {
  return { level, fields, cause, means };
}

/** The facts of a line with these fields. */
export type Facts<Fields extends FieldSpec> = {
  readonly [Name in Extract<Fields, LogFieldName>]: LogValue<Name>;
} & {
  readonly [Name in Fields extends `${infer Base extends LogFieldName}?` ? Base : never]?: LogValue<Name> | undefined;
};
