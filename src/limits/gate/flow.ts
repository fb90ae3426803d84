import { LuaPart } from "../../redis/lua-source.ts";
import { CONTROL } from "./control-fields.ts";
import { QUOTA } from "./quota.ts";
import { STOPS } from "./stops.ts";

/** The most calls at once while nothing is known of a provider: fewer than an outage may cost (10). */
export const FEW_CALLS = 6;
/** The most calls at once where there is no limit: more than the workers can make. */
export const ANY_CALLS = 1_000_000;

/** How many calls may be under way at once. */
export const FLOW = new LuaPart(new URL("flow.lua", import.meta.url), {
  needs: [CONTROL, QUOTA, STOPS],
  constants: {
    FEW_CALLS,
    ANY_CALLS,
    // Where little is needed: room for a burst, and no more than an outage may cost.
    LEAST_CAP: 8,
    // Silence after which nothing is known any more, in ms; of a slow provider three times what a call usually takes.
    QUIET_MS: 5_000,
    // The least time between two notes that calls go well, where that changes nothing. In ms.
    LEARN_EVERY_MS: 50,
    // The time beyond a call's timeout after which its place is free: its worker died. In ms.
    LEASE_SPARE_MS: 5_000,
    // The time after which one more call is made though all places are taken, where none was taken meanwhile: their workers may be dead. In ms.
    TRICKLE_MS: 5_000,
    // How soon a full gate is looked at again, in ms: half of the time for which the oldest call has been under way.
    LOOK_AGAIN_MS: 5,
    LOOK_AGAIN_CAP_MS: 500,
    // The time over which calls that failed and that went well are counted against each other, by the breaker too. In ms.
    WINDOW_MS: 10_000,
  },
});
