import { BATCH_OPENED } from "../batch-state.ts";
import { DAY, HOUR, MINUTE } from "../../base/time.ts";
import { CLOCK } from "../../redis/clock.ts";
import { AUDIT } from "../../privacy/audit/outbox.ts";
import {
  NEW_ONBOARDING,
  NEW_ONBOARDING_ARGS,
  PERSON_ARGS,
  PERSON_PLACE,
  PERSONS,
} from "../../flows/scripts/scripts.ts";
import { NEW_RECORD } from "../../records/scripts/new-record.ts";
import { RECORD } from "../../records/scripts/record.ts";
import { LuaPart } from "../../redis/lua-source.ts";
import { LuaScript } from "../../redis/script.ts";
import type { JobState } from "../../outcomes/state.ts";
import type { BatchState } from "../batch-state.ts";
import { BAD_ENDS, isEnd, REPAIRABLE, ROW_BYTES, ROW_STATES } from "../row-state.ts";

const { waiting: WAITING, queued: QUEUED, duplicate: DUPLICATE, cancelled: CANCELLED } = ROW_BYTES;
/** How long the rows of a batch that comes in are kept after the last of them came, in ms: whoever sent them is gone. */
export const CHECKING_MS = DAY;
/** For so long after its end a batch is known as one that ended of late, in ms. */
export const OVER_MS = HOUR;
/** How long the record of a row whose result is in its batch stays for those who wait for it, in ms. */
const RECORD_KEPT_MS = MINUTE;

const BATCH = new LuaPart(new URL("batch.lua", import.meta.url), {
  needs: [CLOCK],
  constants: { ROW_BYTES_ALL: ROW_STATES.map((state) => ROW_BYTES[state]) },
});

/** Ways to end badly that are told apart; there are far fewer. Each takes two fields. */
const MOST_REASONS = 400;

const WHY = new LuaPart(new URL("why.lua", import.meta.url), {
  constants: {
    TOLD_BYTES: new Set([...BAD_ENDS, "duplicate" as const].map((state) => ROW_BYTES[state])),
    MOST_REASONS,
  },
});

/** How it ended before, and how it ends now; empty: it did not, or does not. */
const WHY_ROW = { left: "text?", code: "text?", reason: "text?" } as const;

const HOLDER = new LuaPart(new URL("holder.lua", import.meta.url), {
  needs: [BATCH, PERSONS],
  constants: {
    // In the others an OTP goes out, or did, or may have: nobody sends that person another by the way. So in those of newer versions.
    FREEING: new Set(
      (["rejected", "expired", "failed", "duplicate", "skipped", "cancelled"] as const).map((s) => ROW_BYTES[s]),
    ),
  },
});

/** The next rows of a batch that comes in: `bytes`, their states; each row one that waits, by `at`, and its person. */
export const APPEND = new LuaScript(new URL("append.lua", import.meta.url), {
  needs: [HOLDER],
  constants: { DUPLICATE },
  args: { prefix: "text", id: "text", offset: "number", bytes: "text", checking_ms: "text", ...PERSON_ARGS },
  row: { at: "text", shard: "text", person: "text" },
});

/** Who has each of these persons. */
export const HOLDERS = new LuaScript(new URL("holders.lua", import.meta.url), {
  needs: [HOLDER],
  args: { prefix: "text", persons: PERSON_ARGS.persons, age: PERSON_ARGS.age },
  row: PERSON_PLACE,
});

export const COMMIT = new LuaScript(new URL("commit.lua", import.meta.url), {
  needs: [BATCH, AUDIT],
  constants: { BATCH_OPENED },
  args: {
    ...{ prefix: "text", id: "text", rows: "number", chunks: "number", known_as: "text", digest: "text" },
    ...{ state: "text", created: "text", now: "text", entry: "text" },
  },
});

const TAKING = new LuaPart(new URL("taking.lua", import.meta.url), {
  needs: [HOLDER],
  constants: { WAITING, QUEUED, DUPLICATE, TAKING: new Set(["ready", "running"]) },
});

/** Each row with its job's record (`CREATE`), and its person as APPEND has it; '' where it is about nobody. */
export const TAKE_ROWS = new LuaScript(new URL("take.lua", import.meta.url), {
  needs: [TAKING, NEW_RECORD],
  args: { prefix: "text", bull: "text", id: "text", epoch: "text", now: "text", ...PERSON_ARGS },
  row: {
    ...{ at: "text", run: "text", shard: "text", person: "text?", digest: "text", job: "text", input: "text" },
    ...{ deadline: "text?", subject: "text?", entry: "text?", ticket: "text?" },
  },
});

/** The same of rows that run a flow, each with its onboarding. */
export const TAKE_FLOW_ROWS = new LuaScript(new URL("take-flow.lua", import.meta.url), {
  needs: [TAKING, NEW_ONBOARDING],
  args: { prefix: "text", id: "text", epoch: "text", now: "text", look_at: "text", ...PERSON_ARGS },
  row: { at: "text", run: "text", ...PERSON_PLACE, ...NEW_ONBOARDING_ARGS },
});

export const HOLD_STEPS = new LuaScript(new URL("hold.lua", import.meta.url), {
  needs: [BATCH, RECORD],
  args: { prefix: "text", epoch: "text", now: "text" },
  row: { onboarding: "text", step_job: "text" },
});

export const LOOK_AT_ROWS = new LuaScript(new URL("look.lua", import.meta.url), {
  needs: [RECORD],
  args: { prefix: "text" },
  row: { id: "text" },
});

/** `rate`: rows that end in a second; each row with the byte of its new state, and the ids of records that nobody needs any more. */
export const FOLD = new LuaScript(new URL("fold.lua", import.meta.url), {
  needs: [BATCH, RECORD, WHY],
  constants: { RECORD_KEPT_MS, AWAITING: ROW_BYTES.awaiting_otp },
  args: {
    ...{ prefix: "text", epoch: "text", now: "number", chunk: "text", out: "bytes", rate: "text" },
    is_flow: "flag",
  },
  row: { at: "text", self: "text", byte: "text", spent: "text?", again: "text?", deadline: "text?", ...WHY_ROW },
});

export const REVOKE = new LuaScript(new URL("revoke.lua", import.meta.url), {
  needs: [BATCH, RECORD],
  constants: { WAITING, QUEUED },
  args: {
    ...{ prefix: "text", channel: "text", retention: "text", id: "text", epoch: "text", now: "text" },
    ...{ cancels: "flag", reason: "text" },
  },
  row: { at: "text", run: "text" },
});

/** `epoch` null: a person's command. */
export const CHANGE = new LuaScript(new URL("change.lua", import.meta.url), {
  needs: [BATCH, AUDIT],
  constants: { WAITING, CANCELLED },
  once: true,
  args: {
    ...{ prefix: "text", epoch: "text?", from: "text", to: "text", reason: "text", now: "text", entry: "text?" },
  },
});

export const CLOSE_BATCH = new LuaScript(new URL("close.lua", import.meta.url), {
  needs: [BATCH],
  constants: { END_BYTES: ROW_STATES.filter(isEnd).map((state) => ROW_BYTES[state]), OVER_MS },
  args: { prefix: "text", id: "text", epoch: "text", to: "text", now: "text", retention: "text" },
});

export const HINDER = new LuaScript(new URL("hinder.lua", import.meta.url), {
  needs: [BATCH],
  args: { prefix: "text", epoch: "text", obstacle: "text?" },
});

export const SET_TERM = new LuaScript(new URL("set.lua", import.meta.url), {
  needs: [AUDIT],
  once: true,
  args: { prefix: "text", field: "text", value: "text", now: "text", entry: "text" },
});

/** Senders that are looked at, in the order of their deadlines: more are never talked to at once. */
export const MOST_LOOKED_AT = 1_000;

export const SEAT_NEXT = new LuaScript(new URL("seat-next.lua", import.meta.url), {
  constants: { MOST_LOOKED_AT },
  once: true,
  args: { token: "text", now: "number", till: "text" },
});

export const SEAT_KEEP = new LuaScript(new URL("seat-keep.lua", import.meta.url), {
  once: true,
  args: { at: "text", token: "text", till: "text", keeper: "text", decision: "text" },
});

/** Each row with its place among the staged chunks (`rerunPlace`). */
export const REPAIR = new LuaScript(new URL("repair.lua", import.meta.url), {
  needs: [BATCH, RECORD, AUDIT, WHY],
  constants: {
    ...{ WAITING, BATCH_OPENED },
    REPAIRABLE: new Set(REPAIRABLE.map((state) => ROW_BYTES[state])),
    SPENT: new Set(["rejected", "failed", "expired", "cancelled"] satisfies JobState[]),
    ENDED: new Set(["finished", "finished_with_errors"] satisfies BatchState[]),
    OVER: new Set(["checking", "cancelled"] satisfies BatchState[]),
  },
  once: true,
  args: { prefix: "text", id: "text", chunks: "number", created: "text", now: "text", entry: "text" },
  row: { at: "text", repaired: "number", place: "text", code: "text?" },
});

export const DISCARD = new LuaScript(new URL("discard.lua", import.meta.url));

export const REOPEN = new LuaScript(new URL("reopen.lua", import.meta.url), {
  needs: [BATCH],
  args: { prefix: "text", id: "text", epoch: "text", created: "text" },
});
