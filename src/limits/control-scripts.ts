import { LuaScript } from "../redis/script.ts";
import { CONTROL } from "./gate/control-fields.ts";
import { FLOW } from "./gate/flow.ts";
import { QUOTA } from "./gate/quota.ts";
import { SHARE_FIELDS } from "./gate/share.ts";

export const CONFIGURE = new LuaScript(new URL("configure-quota.lua", import.meta.url), {
  args: { configured: "text" },
});

export const RESET = new LuaScript(new URL("reset-quota.lua", import.meta.url));

/** `scope` null: all that stops the whole credential. */
export const RESUME = new LuaScript(new URL("resume-gate.lua", import.meta.url), {
  needs: [CONTROL],
  constants: { SHARE_FIELDS },
  once: true,
  args: { prefix: "text", scope: "text?" },
});

export const READ = new LuaScript(new URL("read-gate.lua", import.meta.url), {
  needs: [CONTROL, QUOTA, FLOW],
  args: { prefix: "text" },
});

/** The fields of the gate that cannot be read, or ''. */
export const BROKEN = new LuaScript(new URL("broken-gate.lua", import.meta.url), {
  needs: [CONTROL],
  args: { prefix: "text" },
});
