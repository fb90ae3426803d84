import type { RedisClient } from "./connection.ts";
import { refusalWord } from "./refusal.ts";
import { LuaScript } from "./script.ts";

/** Redis' own `hash-max-listpack-value`, bytes. */
export const SHORT_VALUE = 64;
/** What we advise (docs/deployment.md), and what is asked for. */
const ADVISED_VALUE = 1024;

export const HOW_KEPT = new LuaScript(new URL("short-value.lua", import.meta.url), { args: { bytes: "number" } });

/**
 * The longest value, in bytes, with which this Redis is known to keep a hash in one piece of memory. It is tried with a hash at `key`,
 * which is gone at once: who may ask for Redis' configuration would see its passwords. Where it refuses it is taken for the default.
 */
export async function shortValue(redis: RedisClient, key: string): Promise<number> {
  try {
    const how = await HOW_KEPT.run(redis, [key], { bytes: ADVISED_VALUE });
    return how === "listpack" || how === "ziplist" ? ADVISED_VALUE : SHORT_VALUE;
  } catch (error) {
    if (refusalWord(error) === null) throw error;
    return SHORT_VALUE;
  }
}
