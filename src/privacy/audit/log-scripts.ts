import { CLOCK } from "../../redis/clock.ts";
import { LuaScript } from "../../redis/script.ts";

/** `fresh`: the id of a chain that begins now. */
export const READ = new LuaScript(new URL("head.lua", import.meta.url), { needs: [CLOCK], args: { fresh: "text" } });

/** From `seq` and `hash`, where its caller saw the log end; `count` lines, and of each queue the last id of its outbox that was taken. */
export const EXTEND = new LuaScript(new URL("extend.lua", import.meta.url), {
  needs: [CLOCK],
  args: {
    ...{ seq: "text", hash: "text", key_id: "text", at: "text", new_hash: "text", count: "number", lines: "text" },
    step: "text",
  },
  row: { queue: "text", taken: "text" },
});

/** `first`: the id that stays; `seq` and `hash`: of the entry before it. */
export const TRIM = new LuaScript(new URL("trim.lua", import.meta.url), {
  needs: [CLOCK],
  args: { first: "text", seq: "number", hash: "text" },
});

/**
 * `floor`: the number of the entry before the log's first, as its caller saw it; `lines`: `count` of them, compressed; `id`, `seq` and
 * `hash`: of the last one; `next`: the first id that stays.
 */
export const PACK = new LuaScript(new URL("pack.lua", import.meta.url), {
  args: { floor: "text", lines: "bytes", count: "text", id: "text", seq: "text", hash: "text", next: "text" },
});

/** As `TRIM`, of what is packed. */
export const TRIM_PACKED = new LuaScript(new URL("trim-packed.lua", import.meta.url), {
  needs: [CLOCK],
  args: { first: "text", seq: "number", hash: "text" },
});

/** The last lines, at least `count`, with the head of the same moment. */
export const TAIL = new LuaScript(new URL("tail.lua", import.meta.url), { needs: [CLOCK], args: { count: "number" } });

export const TAKE_FOLDER = new LuaScript(new URL("take-folder.lua", import.meta.url), {
  args: { token: "text", ms: "text" },
});

/** `id`: of the last entry that is in the folder's files. */
export const FILED = new LuaScript(new URL("filed.lua", import.meta.url), {
  needs: [CLOCK],
  args: { token: "text", ms: "text", folder: "text", id: "text" },
});

/** From key id to key id. */
export const REKEY = new LuaScript(new URL("rekey.lua", import.meta.url), {
  once: true,
  args: { old: "text", new: "text" },
});
