import { foldedSource, type LuaPart } from "../../src/redis/lua-source.ts";
import type { RedisClient } from "../../src/redis/connection.ts";

/** A script of these parts and of lines that stand behind them, as `EVAL` takes it. */
export function luaSource(parts: readonly LuaPart[], body: string): string {
  const lines = new Set(parts.flatMap((part) => part.assembled()));
  return foldedSource([...lines, { file: "test", line: 1, text: body }]);
}

/** What one expression is worth in Lua, with these parts before it; `given`: what it may name. */
export async function luaValue(
  redis: RedisClient,
  parts: readonly LuaPart[],
  expression: string,
  given: Readonly<Record<string, unknown>> = {},
): Promise<unknown> {
  const names = Object.keys(given);
  const values = names.map((name) => `given.${name}`);
  const locals = names.length === 0 ? "" : `local ${names.join(", ")} = ${values.join(", ")}`;
  const body = `local given = cjson.decode(ARGV[1])\n${locals}\nreturn cjson.encode({value = ${expression}})`;
  const text = (await redis.eval(luaSource(parts, body), 0, JSON.stringify(given))) as string;
  return (JSON.parse(text) as { readonly value?: unknown }).value ?? null;
}
