import { HOUR } from "../../base/time.ts";
import { inDoubt } from "../../outcomes/decision.ts";
import { AUDIT } from "../../privacy/audit/outbox.ts";
import { LuaScript } from "../../redis/script.ts";
import type { WaitCause } from "../../outcomes/wait-cause.ts";
import { UNCHANGED } from "../retention.ts";
import { RECORD } from "./record.ts";

/**
 * Ends a job that cannot be called at all. `unmade`: an attempt that was not made; `look_at`: when the reaper has to look at it, ms, and
 * `look_at_unknown`: where it is `unknown` instead, whose input is kept.
 */
export const ABANDON = new LuaScript(new URL("abandon.lua", import.meta.url), {
  needs: [RECORD],
  constants: { IN_DOUBT: inDoubt("") },
  args: {
    ...{ prefix: "text", channel: "text", retention: "text", id: "text", now: "text", state: "text", reason: "text" },
    ...{ unmade: "text?", look_at: "text?", keeps_input: "flag", look_at_unknown: "text?" },
  },
});

/** A person's decision about an `unknown` job. */
export const SETTLE = new LuaScript(new URL("settle.lua", import.meta.url), {
  needs: [RECORD, AUDIT],
  constants: { UNCHANGED },
  args: {
    ...{ prefix: "text", channel: "text", retention: "text", id: "text", now: "text", state: "text", decision: "text" },
    ...{ look_at: "text?", keeps_input: "flag", entry: "text" },
  },
});

/** Gives a failed job its attempts back. */
export const REVIVE = new LuaScript(new URL("revive.lua", import.meta.url), {
  needs: [RECORD, AUDIT],
  args: { prefix: "text", id: "text", now: "text", decision: "text", entry: "text" },
});

/** A job that backs off is due now. */
export const PROMOTE = new LuaScript(new URL("promote.lua", import.meta.url), {
  needs: [RECORD, AUDIT],
  constants: { BACKOFF: "backoff" satisfies WaitCause },
  args: { prefix: "text", now: "text", decision: "text", entry: "text" },
});

/** Of each record what it said when it was packed, as far as that may still change, and its pieces, each with a NUL after it. */
export const PACK = new LuaScript(new URL("pack.lua", import.meta.url), {
  needs: [RECORD],
  args: { prefix: "text", now: "number", retention: "number", archives: "flag" },
  row: { updated: "text", codes: "text?", replaced: "text?", pieces: "text" },
});

/** What is due of one queue. `most`: at once; `again`: until an attempt that is under way is looked at again, ms. */
export const REAP = new LuaScript(new URL("reap.lua", import.meta.url), {
  needs: [RECORD],
  constants: { ANSWER_KEPT_MS: HOUR },
  args: {
    ...{ prefix: "text", channel: "text", retention: "text", result_retention: "number", now: "text", most: "text" },
    ...{ again: "number", archives: "flag", step: "text" },
  },
});

export const DESTROY_PERSONAL = new LuaScript(new URL("destroy-personal.lua", import.meta.url), {
  args: { sealed: "text" },
});
