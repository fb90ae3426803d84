import { CLOCK } from "../../redis/clock.ts";
import { LuaPart } from "../../redis/lua-source.ts";

/** When a quota of 0 has room, ms: nobody knows. The greatest time that a Date can have. */
export const FOREVER = 8.64e15;

/** The `control` hash and BullMQ's limiter. */
export const CONTROL = new LuaPart(new URL("control-fields.lua", import.meta.url), {
  needs: [CLOCK],
  constants: {
    FOREVER,
    // More than BullMQ's limiter ever allows; it is closed for a day at most.
    LIMITER_FULL: String(Number.MAX_SAFE_INTEGER),
    LIMITER_CAP_MS: 86_400_000,
  },
});
