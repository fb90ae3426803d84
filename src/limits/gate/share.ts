import { LuaPart } from "../../redis/lua-source.ts";
import { CONTROL } from "./control-fields.ts";

/** `control`'s fields of the share: without them the whole quota is used. */
export const SHARE_FIELDS = ["factor", "factor_at", "factor_worked", "factor_wait", "factor_step"] as const;

/** What share of the shortest window is used: lowered by 429s, raised by calls that go well, as TCP does it. */
export const SHARE = new LuaPart(new URL("share.lua", import.meta.url), {
  needs: [CONTROL],
  constants: {
    SHARE_FIELDS,
    // It is never lowered below this.
    LEAST_SHARE: 0.05,
    // The time without a 429 after which the share doubles, up to the last one that worked, and after which one above it has worked. In ms.
    CLIMB_MS: 5_000,
    // The time at the last share that worked before one above it is tried; doubles with each that brings a 429. In ms.
    PROBE_MS: 10_000,
    PROBE_CAP_MS: 600_000,
    // The part by which the first try is above; doubles with each that works.
    PROBE_STEP: 0.01,
    // The part of a share that is used after a 429 where it had worked for a while: it is nearly right.
    A_LITTLE_LESS: 0.9,
    // A try lasts a window of the quota, and no longer than this, in ms.
    LONGEST_TRY_MS: 60_000,
    // Two 429s with calls that went well between them, and no further apart (ms): the share between them is what works.
    RELATED_MS: 60_000,
    // What a call's own time may be off by, in ms.
    SAME_MOMENT_MS: 10,
  },
});
