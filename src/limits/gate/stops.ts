import { LuaPart } from "../../redis/lua-source.ts";
import { CONTROL } from "./control-fields.ts";
import { SHARE } from "./share.ts";

/** What stops the whole credential or one of a job's scopes, and whose turn it is to try. */
export const STOPS = new LuaPart(new URL("stops.lua", import.meta.url), {
  needs: [CONTROL, SHARE],
  constants: {
    // After the first 429 that says nothing itself; doubles with each in a row. In ms.
    PAUSE_MS: 1_000,
    PAUSE_CAP_MS: 60_000,
  },
});
