import { createHash } from "node:crypto";
import type { RedisClient } from "./connection.ts";
import { foldedSource, type LuaOrigin, LuaPart, type LuaPartOptions } from "./lua-source.ts";
import { usedLines } from "./lua-used.ts";
import { newStep, ONCE } from "./once.ts";
import { repliesOf } from "./replies.ts";

/**
 * How an argument comes to Lua. `text`: as it is; `text?`: '' for null; `number`; `number?`: nil for null; `flag`: true or
 * false; `bytes`: as they are. What is only written back stays `text`, also a number.
 */
type ArgKind = "text" | "text?" | "number" | "number?" | "flag" | "bytes";
/** Names in Lua, in the order of ARGV. */
export type ArgShape = Readonly<Record<string, ArgKind>>;

interface ArgTypes {
  readonly text: string | number;
  readonly "text?": string | number | null;
  readonly number: number;
  readonly "number?": number | null;
  readonly flag: boolean;
  readonly bytes: Buffer;
}

export type ArgsOf<Shape extends ArgShape> = { readonly [Name in keyof Shape]: ArgTypes[Shape[Name]] };
export type RowOf<Script> = Script extends LuaScript<ArgShape, infer Row> ? ArgsOf<Row> : never;

// oxlint-disable-next-line typescript/no-generated-empty-object-type -- a script that takes no arguments.
type Nothing = Record<never, ArgKind>;

interface LuaScriptOptions<Args extends ArgShape, Row extends ArgShape> extends LuaPartOptions {
  /** Each is a local variable in Lua. */
  readonly args?: Args;
  /**
   * What follows the arguments any number of times, `ROWS` in Lua: local variables too, which `row(n)` sets to those of the n-th.
   * (A table for each would cost Redis 4 µs.)
   */
  readonly row?: Row;
  /** Sent again, because its answer was cut off, it is given the first answer and does nothing (`once.lua`): for steps that are few. */
  readonly once?: boolean;
}

export interface ScriptRun<Args extends ArgShape, Row extends ArgShape> {
  readonly keys: readonly string[];
  readonly args: ArgsOf<Args>;
  readonly rows?: readonly ArgsOf<Row>[];
}

/** One Lua script: atomic, one round trip. Sent by its digest; in full only where the server does not know it yet. */
export class LuaScript<const Args extends ArgShape = Nothing, const Row extends ArgShape = Nothing> {
  /** All of its parts, line by line, with where each comes from, and the names of constants still in place. */
  readonly lines: readonly LuaOrigin[];
  /** Those of them that Redis is sent. */
  readonly sent: readonly LuaOrigin[];
  readonly #source: string;
  readonly #sha: string;
  readonly #args: readonly string[];
  readonly #row: readonly string[];
  readonly #isOnce: boolean;

  constructor(file: URL, { args, row, once = false, ...part }: LuaScriptOptions<Args, Row> = {}) {
    this.#args = Object.keys(args ?? {});
    this.#row = Object.keys(row ?? {});
    this.#isOnce = once;
    const written = argLines(once ? { step: "text", ...args } : (args ?? {}), row);
    const own = once
      ? new LuaPart(file, { ...part, needs: [...(part.needs ?? []), ONCE] }, [...written, ONCE_BEGINS], ONCE_ENDS)
      : new LuaPart(file, part, written);
    this.lines = own.assembled();
    this.sent = usedLines(this.lines);
    this.#source = foldedSource(this.sent);
    this.#sha = createHash("sha1").update(this.#source).digest("hex");
  }

  /** `step`: what a step that is done once is known by; default: a name that nobody else has; '': it may be done again. */
  async run(
    redis: RedisClient,
    keys: readonly string[],
    args: ArgsOf<Args>,
    rows: readonly ArgsOf<Row>[] = [],
    step?: string,
  ): Promise<unknown> {
    const flat = this.#flat(args, rows, step ?? (this.#isOnce ? newStep() : ""));
    try {
      return await redis.evalsha(this.#sha, keys.length, ...keys, ...flat);
    } catch (error) {
      if (!isNoScript(error)) throw error;
      return await redis.eval(this.#source, keys.length, ...keys, ...flat);
    }
  }

  /** Many runs in one pipeline; every key must be of one hash slot. Each may be done again. Rejects with the first error. */
  async runMany(redis: RedisClient, runs: readonly ScriptRun<Args, Row>[]): Promise<unknown[]> {
    const pipeline = redis.pipeline();
    // The first run carries the source, so that a server that forgot the script (restart, failover) knows the rest.
    for (const [index, { keys, args, rows = [] }] of runs.entries()) {
      const flat = this.#flat(args, rows, "");
      if (index === 0) pipeline.eval(this.#source, keys.length, ...keys, ...flat);
      else pipeline.evalsha(this.#sha, keys.length, ...keys, ...flat);
    }
    return await repliesOf(pipeline);
  }

  #flat(args: ArgsOf<Args>, rows: readonly ArgsOf<Row>[], step: string): Arg[] {
    const flat: Arg[] = this.#isOnce ? [step] : [];
    for (const name of this.#args) flat.push(toArg((args as Values)[name]));
    for (const row of rows) for (const name of this.#row) flat.push(toArg((row as Values)[name]));
    return flat;
  }
}

/** What the lines of a step that is done once stand in. */
const ONCE_BEGINS = "local function step_itself()";
const ONCE_ENDS = ["end", "return once(step, step_itself)"];

type Arg = string | number | Buffer;
type Value = Arg | boolean | null;
type Values = Readonly<Record<string, Value>>;

function toArg(value: Value | undefined): Arg {
  if (typeof value === "boolean") return value ? 1 : 0;
  return value ?? "";
}

function argLines(args: ArgShape, row: ArgShape | undefined): string[] {
  const entries = Object.entries(args);
  const lines = entries.map(([name, kind], index) => `local ${name} = ${fromArg(kind, `ARGV[${index + 1}]`)}`);
  if (row === undefined) return lines;
  const columns = Object.entries(row);
  const names = columns.map(([name]) => name).join(", ");
  const last = `${entries.length} + n * ${columns.length}`;
  const converted = columns.flatMap(([name, kind]) => {
    const value = fromArg(kind, name);
    return value === name ? [] : [`  ${name} = ${value}`];
  });
  return [
    ...lines,
    `local ROWS = (#ARGV - ${entries.length}) / ${columns.length}`,
    `local ${names}`,
    "local function row(n)",
    `  ${names} = unpack(ARGV, ${last} - ${columns.length - 1}, ${last})`,
    ...converted,
    "end",
  ];
}

/** `text`: the Lua for the argument as it came. */
function fromArg(kind: ArgKind, text: string): string {
  switch (kind) {
    case "text":
    case "text?":
    case "bytes":
      return text;
    case "number":
    case "number?":
      return `tonumber(${text})`;
    case "flag":
      return `${text} == '1'`;
  }
}

function isNoScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("NOSCRIPT");
}
