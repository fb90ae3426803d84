import { OPEN_STATES } from "../../outcomes/state.ts";
import { LuaPart } from "../../redis/lua-source.ts";
import { ARCHIVE } from "./archive.ts";

/** Which sends of a person are not settled. */
export const ASKED = new LuaPart(new URL("asked.lua", import.meta.url), {
  needs: [ARCHIVE],
  constants: {
    // No more of one person's are remembered: another is refused the person by the gate's limit long before.
    MOST_ASKED: 8,
    OPEN_STATES: new Set(OPEN_STATES),
  },
});
