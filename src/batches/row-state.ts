import { ErrorCode, SatyapanError } from "../base/error.ts";
import type { OnboardingState } from "../flows/onboarding.ts";
import type { JobState } from "../outcomes/state.ts";

/**
 * Where a row of a batch stands. `queued`: handed to the queue, and not called at this moment; `calling`: a request of its is
 * under way; `awaiting_otp`: a person has to answer. The last seven are ends.
 */
export const ROW_STATES = [
  "waiting",
  "queued",
  "calling",
  "awaiting_otp",
  "succeeded",
  "rejected",
  "unknown",
  "expired",
  "failed",
  "duplicate",
  "skipped",
  "cancelled",
] as const;
export type RowState = (typeof ROW_STATES)[number];

/** One byte each, as a batch's states are kept: a text that is as long as the batch has rows. */
export const ROW_BYTES = {
  waiting: "w",
  queued: "q",
  calling: "c",
  awaiting_otp: "o",
  succeeded: "s",
  rejected: "r",
  unknown: "u",
  expired: "e",
  failed: "f",
  duplicate: "d",
  skipped: "k",
  cancelled: "x",
} as const satisfies Readonly<Record<RowState, string>>;

/** In the queue, or with the person: somebody has to see how it ends. */
export const AIR_STATES = ["queued", "calling", "awaiting_otp"] as const satisfies readonly RowState[];
export type AirState = (typeof AIR_STATES)[number];

/** What a batch's auto-stop counts as gone wrong. */
export const BAD_ENDS = ["rejected", "failed", "unknown", "expired"] as const satisfies readonly RowState[];

/** What a mended row may have come to before: nothing was done, so that it may be called again. */
export const REPAIRABLE = [
  "rejected",
  "expired",
  "failed",
  "duplicate",
  "skipped",
] as const satisfies readonly RowState[];

const BY_BYTE: ReadonlyMap<string, RowState> = new Map(ROW_STATES.map((state) => [ROW_BYTES[state], state]));

export type RowCounts = Readonly<Record<RowState, number>>;

/** Undefined for a byte that is none of ours. */
export function rowStateOf(byte: string): RowState | undefined {
  return BY_BYTE.get(byte);
}

/** The state of a row that is there. Throws SatyapanError `unreadable` for one that only newer versions know. */
export function readRowState(byte: string, row: number): RowState {
  const state = rowStateOf(byte);
  if (state !== undefined) return state;
  const message = `row ${row} is in a state that this version does not know: a newer one wrote it, update this one`;
  throw new SatyapanError(ErrorCode.UNREADABLE, message);
}

export function isAir(state: RowState): state is AirState {
  return (AIR_STATES as readonly RowState[]).includes(state);
}

/** Whether nothing more comes of the row by itself. */
export function isEnd(state: RowState): boolean {
  return state !== "waiting" && !isAir(state);
}

export function noRows(): Record<RowState, number> {
  return Object.fromEntries(ROW_STATES.map((state) => [state, 0])) as Record<RowState, number>;
}

export function totalOf(counts: RowCounts): number {
  return ROW_STATES.reduce((sum, state) => sum + counts[state], 0);
}

/** How many rows of each state a batch's text of bytes has; what is none of ours is counted apart. */
export function countBytes(bytes: string): { readonly counts: RowCounts; readonly foreign: number } {
  const counts = noRows();
  let foreign = 0;
  for (const byte of bytes) {
    const state = rowStateOf(byte);
    if (state === undefined) foreign += 1;
    else counts[state] += 1;
  }
  return { counts, foreign };
}

/** What a row is while, and after, its job is in that state: the ends have the same names. */
export function rowStateOfJob(state: JobState): RowState {
  if (state === "queued" || state === "waiting") return "queued";
  return state === "active" ? "calling" : state;
}

/** The same of its onboarding. `step`: the state of its step's job; null: it has none yet. */
export function rowStateOfOnboarding(state: OnboardingState, step: string | null): RowState {
  if (state === "running") return step === "active" ? "calling" : "queued";
  return state;
}
