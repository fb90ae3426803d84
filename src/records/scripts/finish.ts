import { HOUR } from "../../base/time.ts";
import { GATE } from "../../limits/gate/gate.ts";
import { AUDIT } from "../../privacy/audit/outbox.ts";
import { LuaScript } from "../../redis/script.ts";
import { UNCHANGED } from "../retention.ts";
import { RECORD } from "./record.ts";

/**
 * The journal's second half. Of each job: `open` and `lost` as `Ending` has them, the attempt and its result as JSON, `went`
 * (`CallHealth`) with what belongs to it, `sent`: the person was or may have been sent an OTP, `answers`: the send whose OTP this
 * verify answers, `look_at`: when the reaper has to look at it, `entry`: the audit log's. Times in ms.
 */
export const FINISH = new LuaScript(new URL("finish.lua", import.meta.url), {
  needs: [...GATE, RECORD, AUDIT],
  // That it was corrected is told again to a step that is sent again, for so long.
  constants: { UNCHANGED, CORRECTED_KEPT_MS: HOUR },
  args: { prefix: "text", bull: "text", channel: "text", retention: "text", hold_ms: "number" },
  row: {
    ...{ id: "text", now: "text", open: "text", attempt: "text", state: "text", reason: "text?", next_at: "text?" },
    ...{ cause: "text?", result: "text?", personal: "text?", spent: "text", lost: "text?" },
    ...{ went: "text?", retry_after: "number?", scope: "text?", why: "text?" },
    ...{ subject: "text?", sent: "flag", scopes: "text", answers: "text?", look_at: "text?", keeps_input: "flag" },
    entry: "text?",
  },
});

/**
 * The same for a job that ends with its first attempt, packed. `kind` (`endKind`): what the ends of one moment have in common; `pieces`:
 * `packRecord`'s, with a NUL between. Few arguments, because each costs Redis and the worker half a microsecond together.
 */
export const FINISH_PACKED = new LuaScript(new URL("finish-packed.lua", import.meta.url), {
  needs: [...GATE, RECORD, AUDIT],
  constants: {
    // What a record has, but for its ticket, when its first attempt is open: `digest`, `job`, `input`, `state`, `updated`,
    // `attempts`, `open`, `attempt:1`.
    OPENED_FIELDS: 8,
  },
  args: { prefix: "text", bull: "text", channel: "text", retention: "text" },
  row: {
    ...{ now: "text", open: "text", kind: "text", pieces: "text", subject: "text?", look_at: "text?", entry: "text?" },
  },
});
