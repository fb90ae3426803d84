import { AUDIT } from "../../privacy/audit/outbox.ts";
import { OUTBOX } from "../../redis/outbox.ts";
import { LuaScript } from "../../redis/script.ts";
import { isFinal, ONBOARDING_STATES } from "../onboarding.ts";

export const BEGIN_ONBOARDING = new LuaScript(new URL("begin-onboarding.lua", import.meta.url), {
  needs: [OUTBOX],
  args: {
    ...{ prefix: "text", id: "text", digest: "text", terms: "text", input: "text", step: "text", job: "text" },
    ...{ parent: "text?", now: "text", look_at: "text" },
  },
});

export const MOVE_ONBOARDING = new LuaScript(new URL("move-onboarding.lua", import.meta.url), {
  needs: [OUTBOX],
  args: {
    ...{ prefix: "text", channel: "text", retention: "text", id: "text", from: "text", state: "text", step: "text" },
    ...{ job: "text", done: "text", reason: "text?", result: "text?", now: "text", look_at: "text?" },
    ...{ is_over: "flag", keeps_input: "flag" },
  },
});

export const CANCEL_ONBOARDING = new LuaScript(new URL("cancel-onboarding.lua", import.meta.url), {
  needs: [OUTBOX, AUDIT],
  constants: { OVER: new Set(ONBOARDING_STATES.filter(isFinal)) },
  args: { prefix: "text", id: "text", reason: "text", entry: "text" },
});
