import { inDoubt } from "../../outcomes/decision.ts";
import { LANES } from "../../outcomes/lane.ts";
import { TERMINAL_STATES } from "../../outcomes/state.ts";
import { GATE_CAUSES } from "../../outcomes/wait-cause.ts";
import { CLOCK } from "../../redis/clock.ts";
import { LuaPart } from "../../redis/lua-source.ts";
import { OUTBOX } from "../../redis/outbox.ts";
import { MOST_ATTEMPTS } from "../stored-values.ts";
import { ASKED } from "./asked.ts";

/** What the steps of a record's life share; the file has the table of a record's fields. */
export const RECORD = new LuaPart(new URL("record.lua", import.meta.url), {
  needs: [CLOCK, ASKED, OUTBOX],
  constants: {
    MOST_ATTEMPTS,
    LATE_IN_DOUBT: inDoubt("its deadline came before the one after it"),
    // A call that took longer says that some clock jumped, ms.
    LONGEST_CALL_MS: 3_600_000,
    TERMINAL: new Set(TERMINAL_STATES),
    LANES: new Set(LANES),
    // These stop the whole credential: the job goes back to the front of its queue, and its time is not binding.
    GATE_CAUSES: new Set(GATE_CAUSES),
  },
});
