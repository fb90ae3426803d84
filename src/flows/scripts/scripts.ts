import { CLOCK } from "../../redis/clock.ts";
import { AUDIT } from "../../privacy/audit/outbox.ts";
import { OUTBOX } from "../../redis/outbox.ts";
import { LuaPart } from "../../redis/lua-source.ts";
import { LuaScript } from "../../redis/script.ts";
import { isFinal, type OnboardingState, ONBOARDING_STATES } from "../onboarding.ts";

export const PERSONS = new LuaPart(new URL("persons.lua", import.meta.url), {
  needs: [CLOCK],
  constants: {
    // An OTP went out, or may have.
    // A state that this version does not know frees nobody.
    FREES_PERSON: new Set(["rejected", "failed", "expired", "cancelled"] satisfies OnboardingState[]),
  },
});

/** Of one target; `age`: number of the span of time that `keep_ms` is twice of. */
export const PERSON_ARGS = { persons: "text", age: "number", keep_ms: "text" } as const;
/** Whom it is about; '' for nobody. */
export const PERSON_PLACE = { shard: "text", person: "text?" } as const;

export const NEW_ONBOARDING = new LuaPart(new URL("new-onboarding.lua", import.meta.url), { needs: [OUTBOX] });

/** What an onboarding is written with, but for whose it is and when. */
export const NEW_ONBOARDING_ARGS = { digest: "text", terms: "text", input: "text", step: "text", job: "text" } as const;

export const BEGIN_ONBOARDING = new LuaScript(new URL("begin-onboarding.lua", import.meta.url), {
  needs: [NEW_ONBOARDING, PERSONS],
  args: {
    ...{ prefix: "text", id: "text", ...NEW_ONBOARDING_ARGS, parent: "text?", now: "text", look_at: "text" },
    ...PERSON_ARGS,
    ...PERSON_PLACE,
  },
});

export const MOVE_ONBOARDING = new LuaScript(new URL("move-onboarding.lua", import.meta.url), {
  needs: [OUTBOX, AUDIT, PERSONS],
  args: {
    ...{ prefix: "text", channel: "text", retention: "text", id: "text", from: "text", state: "text", step: "text" },
    ...{ job: "text", done: "text", reason: "text?", result: "text?", now: "text", look_at: "text?" },
    ...{ is_over: "flag", keeps_input: "flag", checks_verify: "flag", verify: "text?", entry: "text?" },
    move: "text",
    ...PERSON_ARGS,
    ...PERSON_PLACE,
  },
});

export const CANCEL_ONBOARDING = new LuaScript(new URL("cancel-onboarding.lua", import.meta.url), {
  needs: [OUTBOX, AUDIT],
  constants: { OVER: new Set(ONBOARDING_STATES.filter(isFinal)) },
  once: true,
  args: { prefix: "text", id: "text", reason: "text", entry: "text?" },
});
