import { LuaPart } from "../../redis/lua-source.ts";
import { CONTROL } from "./control-fields.ts";
import { QUOTA } from "./quota.ts";
import { STOPS } from "./stops.ts";

/** So many calls at once while nothing is known of a provider: fewer than an outage may cost (10). */
export const FEW_CALLS = 6;
/** So many calls at once are as many as the workers can make. */
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
    // So often at most, in ms, is written down that calls go well where that changes nothing.
    LEARN_EVERY_MS: 50,
    // Longer than a call's timeout by this, in ms, nobody holds a place: its worker died.
    LEASE_SPARE_MS: 5_000,
    // Where all places are taken and none was for so long, one more call is made: their workers may be dead. In ms.
    TRICKLE_MS: 5_000,
    // How soon a full gate is looked at again, in ms: half of the time for which the oldest call has been under way.
    LOOK_AGAIN_MS: 5,
    LOOK_AGAIN_CAP_MS: 500,
    // So long calls that failed and went well are counted against each other, by the breaker too. In ms.
    WINDOW_MS: 10_000,
  },
});
