import { randomBytes } from "node:crypto";
import { LuaPart } from "./lua-source.ts";

/**
 * How long the answer to such a step is kept, in ms: whoever sends it again, because its connection was lost, does so as soon as there
 * is another, and a person's command gives up long before.
 */
const ANSWER_KEPT_MS = 600_000;

/** `once(step, work)`: what `work` answers, or what the same step was answered before. */
export const ONCE = new LuaPart(new URL("once.lua", import.meta.url), { constants: { ANSWER_KEPT_MS } });

/** The name of one sending of a step. */
export function newStep(): string {
  return randomBytes(12).toString("base64url");
}
