import { EVENTS_KEPT } from "../../queues/names.ts";
import { LuaScript } from "../../redis/script.ts";
import { CONTROL } from "./control-fields.ts";
import { QUOTA } from "./quota.ts";

/** Permits that are read or written in one command. */
const PAGE = 500;

/** What a worker watches of its gate. */
export const LOOK = new LuaScript(new URL("look.lua", import.meta.url), {
  needs: [CONTROL],
  constants: { PAGE },
  args: { prefix: "text", after: "number" },
});

/**
 * Brings back what this Redis forgot. `how`: `first`, `lost` or `other`; `configured`, `by_hand`: the quota of the settings, and
 * the one that was lost; `known`: permits in ms, separated by commas; pace: BullMQ's own limit.
 */
export const BRING_BACK = new LuaScript(new URL("bring-back.lua", import.meta.url), {
  needs: [CONTROL, QUOTA],
  constants: {
    PAGE,
    // Of a loss windows up to this length count as full: nobody knows what was used of them in the last moments. In ms. Of
    // the longer ones it is known, but for the last second (`GateMemory`), and a day without calls would be harsher than the loss.
    SHORT_WINDOW_MS: 60_000,
    // The time without permits after another server took over: each worker brings the permits that it knows of. In ms.
    CONFIRM_MS: 300,
    EVENTS_KEPT,
  },
  once: true,
  args: {
    ...{ prefix: "text", how: "text", fresh_epoch: "text", run: "text", configured: "text", by_hand: "text" },
    ...{ known: "text", pace_max: "text", pace_ms: "text" },
  },
});
