import { LuaPart } from "./lua-source.ts";

/** `append_to(key, text)`: what a step tells somebody else, in the same step, into a stream whose entries have one field, `e`. */
export const OUTBOX = new LuaPart(new URL("outbox.lua", import.meta.url));

/** Where entries go while somebody's other value stands in an outbox's place (`outbox.lua`). */
export function asideOf(key: string): string {
  return `${key}:aside`;
}
