import { LuaPart } from "../../redis/lua-source.ts";
import { CONTROL } from "./control-fields.ts";
import { FLOW } from "./flow.ts";
import { SHARE } from "./share.ts";

/** What a call's end says about the provider. */
export const BREAKER = new LuaPart(new URL("breaker.lua", import.meta.url), {
  needs: [CONTROL, SHARE, FLOW],
  constants: {
    // It opens at so many jobs that failed within the window with none that went well, or so many that are at least half.
    FAILURES_ALONE: 3,
    FAILURES: 5,
    // First wait for a probe; doubles with every failed one, up to a minute. In ms.
    OPEN_MS: 5_000,
    OPEN_CAP_MS: 60_000,
    // First gap between two calls after a probe went well; halves with every call that does, until it is below the last.
    RAMP_FIRST_GAP_MS: 500,
    RAMP_LAST_GAP_MS: 20,
  },
});
