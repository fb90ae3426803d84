import { assertNever } from "../base/assert-never.ts";
import { BAD_ENDS, isAir, isEnd, ROW_STATES, type RowCounts } from "./row-state.ts";

/**
 * Where a batch stands. `checking`: its rows are on their way in, and nothing runs; `ready`: all are in; `paused` by a person,
 * `stopped` by its own limit: both go on with `resume`. The last three are ends.
 */
export const BATCH_STATES = [
  "checking",
  "ready",
  "running",
  "paused",
  "stopped",
  "finished",
  "finished_with_errors",
  "cancelled",
] as const;
export type BatchState = (typeof BATCH_STATES)[number];

/** In place of a job's state: what the queue's parents are told of a batch that somebody is to look after from now on. */
export const BATCH_OPENED = "opened";

const ENDED_STATES = ["finished", "finished_with_errors", "cancelled"] as const satisfies readonly BatchState[];

export type BatchCommand = "pause" | "resume" | "cancel";

export function hasEnded(state: BatchState): boolean {
  return (ENDED_STATES as readonly BatchState[]).includes(state);
}

/** Whether its rows are handed over, and taken from one step of a flow to the next. */
export function goesOn(state: BatchState): boolean {
  return state === "ready" || state === "running";
}

/** The state after a command; null: it means nothing to a batch in that state. The same one twice changes nothing. */
export function afterCommand(state: BatchState, command: BatchCommand): BatchState | null {
  switch (state) {
    case "ready":
    case "running":
      return { pause: "paused", resume: "running", cancel: "cancelled" }[command] as BatchState;
    case "paused":
    case "stopped":
      return { pause: state, resume: "running", cancel: "cancelled" }[command] as BatchState;
    case "cancelled":
      return command === "cancel" ? "cancelled" : null;
    case "checking":
    case "finished":
    case "finished_with_errors":
      return null;
    default:
      return assertNever(state, "state of a batch");
  }
}

/** The state in which a batch of `rows` ends that have all ended; null: they have not, or are in states that only newer versions know. */
export function endOf(counts: RowCounts, rows: number): "finished" | "finished_with_errors" | null {
  const ended = ROW_STATES.reduce((sum, state) => sum + (isEnd(state) ? counts[state] : 0), 0);
  if (ended < rows) return null;
  return BAD_ENDS.some((state) => counts[state] > 0) ? "finished_with_errors" : "finished";
}

/** A batch is judged by its own rows from this many on. */
const STOP_AFTER_ROWS = 100;

/**
 * Why a batch has to stop by itself, or null: more than `share` (0 to 1) of its rows that were called and ended, counted from
 * the last `resume` on, failed or were rejected.
 */
export function stopReason(counts: RowCounts, since: RowCounts, share: number | null): string | null {
  if (share === null) return null;
  const ended = (state: (typeof ROW_STATES)[number]): number => Math.max(0, counts[state] - since[state]);
  const bad = ended("failed") + ended("rejected");
  const all = bad + ended("succeeded") + ended("unknown") + ended("expired");
  if (all < STOP_AFTER_ROWS || bad <= share * all) return null;
  const percent = (part: number): string => `${Math.round(part * 1_000) / 10}%`;
  return `${bad} of ${all} rows (${percent(bad / all)}) failed or were rejected, more than ${percent(share)}`;
}

export function openRows(counts: RowCounts): number {
  return ROW_STATES.reduce((sum, state) => sum + (isAir(state) || state === "waiting" ? counts[state] : 0), 0);
}
