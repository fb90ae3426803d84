import { AUDIT } from "../../privacy/audit/outbox.ts";
import { LuaPart } from "../../redis/lua-source.ts";
import { ASKED } from "./asked.ts";

/** How a job's record begins. */
export const NEW_RECORD = new LuaPart(new URL("new-record.lua", import.meta.url), {
  needs: [AUDIT, ASKED],
  // 10 s.
  constants: { JUST_MADE_MS: 10_000 },
});
