import { MOST_TRIES } from "../outcomes/challenge.ts";
import { OPEN_STATES } from "../outcomes/state.ts";
import { ARCHIVE } from "../records/scripts/archive.ts";
import { LuaScript } from "../redis/script.ts";

/** How long a code is kept whose send has not settled, in ms: an OTP lives no longer. */
const EARLY_MS = 600_000;
/** A verify whose record is not there so long after it was begun will not come, ms. */
const BEGUN_MS = 10_000;
/** A verify in doubt is one under way: the provider may have taken the code. */
const OPEN: ReadonlySet<string> = new Set([...OPEN_STATES, "unknown"]);

export const ANSWER = new LuaScript(new URL("answer.lua", import.meta.url), {
  needs: [ARCHIVE],
  constants: { MOST_TRIES, OPEN, BEGUN_MS },
  once: true,
  args: { prefix: "text", hash: "text", deadline: "text", now: "text", verify_name: "text", onboarding: "text?" },
});

export const RESEND = new LuaScript(new URL("resend.lua", import.meta.url), {
  needs: [ARCHIVE],
  constants: { OPEN, BEGUN_MS },
  args: { prefix: "text", not_before: "text", now: "text", next_send: "text" },
});

export const KEEP_EARLY = new LuaScript(new URL("keep-early.lua", import.meta.url), {
  constants: { OPEN: new Set([...OPEN_STATES, "running"]), EARLY_MS },
  args: { sealed: "text" },
});
