import { GATE } from "../../limits/gate/gate.ts";
import { LuaPart } from "../../redis/lua-source.ts";
import { LuaScript } from "../../redis/script.ts";
import { ASKED } from "./asked.ts";
import { RECORD } from "./record.ts";

/** What PERMIT answers in place of a wait. */
export const NOT_OPEN = -1;
export const FORGOTTEN = -2;
/** The time until a gate that cannot be read is looked at again; nobody calls meanwhile. In ms. */
const BROKEN_MS = 1_000;
/** When a job is looked at again whose call is under way from a ticket; in ms. */
const IN_TICKET_MS = 1_000;

const BEGINNING = {
  constants: { BROKEN_MS, IN_TICKET_MS },
  args: {
    prefix: "text",
    bull: "text",
    channel: "text",
    retention: "text",
    hold_ms: "number",
    call_ms: "number",
    cooldown_ms: "number",
    otp_max: "number",
    otp_span: "number",
    floor_every: "number",
    stamp: "text",
    epoch: "text",
  },
  row: { id: "text", now: "text", fresh: "text", ticket: "text?" },
} as const;

/** The journal's first half. Times in ms; `stamp`: of the opener; `epoch`: of the gate that the worker knows. */
export const BEGIN = new LuaScript(new URL("begin.lua", import.meta.url), {
  ...BEGINNING,
  needs: [new LuaPart(new URL("asked-for.lua", import.meta.url)), ...GATE, RECORD],
});

const FETCHED = new LuaPart(new URL("fetched.lua", import.meta.url), { constants: { NEWEST: 4 } });

/** BEGIN of the job that a fetch has just put into hand, if it has an entry of its own: one row, with the fetch's token as its id. */
export const BEGIN_FETCHED = new LuaScript(new URL("begin.lua", import.meta.url), {
  ...BEGINNING,
  needs: [FETCHED, ...GATE, RECORD],
});

/** `opener`: of the attempts that a fetch opened; `except`: the job that it brought. */
export const ALSO_BEGUN = new LuaScript(new URL("also-begun.lua", import.meta.url), {
  needs: [ASKED],
  args: { prefix: "text", opener: "text", except: "text?" },
});

export const GIVE_BACK = new LuaScript(new URL("give-back.lua", import.meta.url), {
  needs: GATE,
  args: { prefix: "text", bull: "text", permit: "text", id: "text", open: "text" },
});

/** `old`: the permit that grew old; `open`: the attempt; `subject`: who is sent an OTP. */
export const PERMIT = new LuaScript(new URL("permit.lua", import.meta.url), {
  needs: GATE,
  once: true,
  constants: {
    NOT_OPEN,
    FORGOTTEN,
    BROKEN_MS,
    // While another job tries for all, ms.
    PROBE_WAIT_MS: 1_000,
  },
  args: {
    ...{ prefix: "text", bull: "text", old: "text?", id: "text", subject: "text?", open: "text", call_ms: "number" },
    epoch: "text",
  },
});
