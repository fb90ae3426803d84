import { LuaPart } from "../../redis/lua-source.ts";
import { CONTROL } from "./control-fields.ts";

/** The most turns that bulk saves up while its jobs are slow to come. */
const MOST_OWED = 64;
/** After so long without one of them, in ms, the jobs to come of an entry that was brought to the front are not reckoned with. */
const AWAITED_MS = 1_000;

export const FLOOR = new LuaPart(new URL("floor.lua", import.meta.url), {
  needs: [CONTROL],
  constants: { MOST_OWED, AWAITED_MS },
});
