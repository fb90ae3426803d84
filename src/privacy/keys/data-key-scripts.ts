import { LuaPart } from "../../redis/lua-source.ts";
import { LuaScript } from "../../redis/script.ts";

const KNOWN_PRINT = new LuaPart(new URL("known-print.lua", import.meta.url));
const FORGET_CURRENT = new LuaPart(new URL("forget-current.lua", import.meta.url));

/**
 * `id`, `json` and wrapping key (`by`) of an offer; `damaged`: the id of a data key that counts as none; `print`: of the wrapping
 * key. Null: there is none.
 */
export const TAKE = new LuaScript(new URL("take.lua", import.meta.url), {
  needs: [KNOWN_PRINT],
  constants: { MOST_SEALERS: 0xffff_ffff },
  args: { scope: "text", id: "text?", json: "text?", by: "text?", damaged: "text?", print: "text?" },
});

/** `before`: as it was wrapped until now; `by`: the wrapping key, with its print. */
export const REWRAP = new LuaScript(new URL("rewrap.lua", import.meta.url), {
  needs: [KNOWN_PRINT],
  args: { id: "text", wrapped: "text", by: "text", before: "text", print: "text?" },
});

/** `by`: the wrapping key. */
export const PROVED = new LuaScript(new URL("proved.lua", import.meta.url), { args: { by: "text", print: "text" } });

export const CLOSE = new LuaScript(new URL("close.lua", import.meta.url), {
  needs: [FORGET_CURRENT],
  args: { channel: "text" },
  row: { id: "text" },
});

export const DESTROY = new LuaScript(new URL("destroy.lua", import.meta.url), {
  needs: [FORGET_CURRENT],
  once: true,
  args: { channel: "text" },
  row: { id: "text" },
});

/** `by`: the wrapping key. */
export const RETIRE = new LuaScript(new URL("retire.lua", import.meta.url), { args: { by: "text", now: "text" } });
