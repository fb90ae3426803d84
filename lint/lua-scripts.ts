import { REPLACE } from "../producers/keys/sealed-records.ts";
import {
  APPEND,
  CHANGE,
  CLOSE_BATCH,
  COMMIT,
  DISCARD,
  FOLD,
  HINDER,
  HOLDERS,
  HOLD_STEPS,
  LOOK_AT_ROWS,
  REOPEN,
  REPAIR,
  REVOKE,
  SEAT_KEEP,
  SEAT_NEXT,
  SET_TERM,
  TAKE_FLOW_ROWS,
  TAKE_ROWS,
} from "../src/batches/scripts/scripts.ts";
import { BROKEN, CONFIGURE, READ as READ_GATE, RESET, RESUME } from "../src/limits/control-scripts.ts";
import { PRESENT } from "../src/limits/fleet.ts";
import { BRING_BACK, LOOK } from "../src/limits/gate/memory.ts";
import { PAUSE } from "../src/limits/queue-pause.ts";
import { APPEND as APPEND_AUDIT } from "../src/privacy/audit/outbox.ts";
import {
  EXTEND,
  FILED,
  PACK as PACK_LOG,
  READ as READ_HEAD,
  REKEY,
  TAIL,
  TAKE_FOLDER,
  TRIM,
  TRIM_PACKED,
} from "../src/privacy/audit/log-scripts.ts";
import { CLOSE, DESTROY, PROVED, RETIRE, REWRAP, TAKE as TAKE_KEY } from "../src/privacy/keys/data-key-scripts.ts";
import { MAY_READ } from "../src/queues/rights.ts";
import { DROP } from "../src/records/state-index.ts";
import { ANSWER, KEEP_EARLY, RESEND } from "../src/challenges/scripts.ts";
import { BEGIN_ONBOARDING, CANCEL_ONBOARDING, MOVE_ONBOARDING } from "../src/flows/scripts/scripts.ts";
import { OLDEST } from "../src/records/oldest-waiting.ts";
import { SET_ASIDE } from "../src/records/parent-outbox.ts";
import { ALSO_BEGUN, BEGIN, BEGIN_FETCHED, GIVE_BACK, PERMIT } from "../src/records/scripts/begin.ts";
import { CREATE } from "../src/records/scripts/create.ts";
import { ABANDON, DESTROY_PERSONAL, PACK, PROMOTE, REAP, REVIVE, SETTLE } from "../src/records/scripts/end.ts";
import { FINISH, FINISH_PACKED } from "../src/records/scripts/finish.ts";
import { HOW_KEPT } from "../src/redis/short-value.ts";
import { TIME } from "../src/redis/clock.ts";
import { RELEASE, TAKE } from "../src/redis/lease.ts";
import type { LuaOrigin } from "../src/redis/lua-source.ts";

/** Every script, by its name; a `.lua` file that is in none of them is reported. */
export const SCRIPTS: Readonly<
  Record<string, { readonly lines: readonly LuaOrigin[]; readonly sent: readonly LuaOrigin[] }>
> = {
  ...{
    BEGIN,
    BEGIN_FETCHED,
    ALSO_BEGUN,
    GIVE_BACK,
    PERMIT,
    FINISH,
    FINISH_PACKED,
    CREATE,
    HOW_KEPT,
    ABANDON,
    SETTLE,
    PROMOTE,
    REVIVE,
    REAP,
    PACK,
    DESTROY_PERSONAL,
    DROP,
    OLDEST,
    SET_ASIDE,
  },
  ...{ LOOK, BRING_BACK, CONFIGURE, RESET, RESUME, READ_GATE, BROKEN, PRESENT, PAUSE, MAY_READ, TIME, TAKE, RELEASE },
  ...{ APPEND, COMMIT, TAKE_ROWS, TAKE_FLOW_ROWS, LOOK_AT_ROWS, FOLD, REVOKE, HOLD_STEPS, HOLDERS },
  ...{ HINDER, CHANGE, CLOSE_BATCH, SET_TERM, DISCARD, REOPEN, REPAIR, SEAT_NEXT, SEAT_KEEP },
  ...{ ANSWER, RESEND, KEEP_EARLY, BEGIN_ONBOARDING, MOVE_ONBOARDING, CANCEL_ONBOARDING },
  ...{ APPEND_AUDIT, READ_HEAD, EXTEND, TRIM, PACK_LOG, TRIM_PACKED, TAIL, TAKE_FOLDER, FILED, REKEY },
  ...{ TAKE_KEY, REWRAP, PROVED, CLOSE, DESTROY, RETIRE, REPLACE },
};
