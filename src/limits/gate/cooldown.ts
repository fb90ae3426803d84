import { LuaPart } from "../../redis/lua-source.ts";
import { CONTROL } from "./control-fields.ts";

/** When a person may be sent the next OTP. */
export const COOLDOWN = new LuaPart(new URL("cooldown.lua", import.meta.url), { needs: [CONTROL] });
