import { LuaPart } from "../../redis/lua-source.ts";
import { CONTROL } from "./control-fields.ts";
import { AHEAD_MS, LOOSE_MARGIN_MS, QUOTA_MARGIN_MS } from "./margins.ts";

/** One call charged to every window of the quota, or to none. */
export const QUOTA = new LuaPart(new URL("quota.lua", import.meta.url), {
  needs: [CONTROL],
  constants: {
    ...{ AHEAD_MS, LOOSE_MARGIN_MS, QUOTA_MARGIN_MS },
    // For so long a permit that was given back is not given back again, ms: a step is sent again when Redis is back.
    RETURNED_MS: 3_600_000,
  },
});
