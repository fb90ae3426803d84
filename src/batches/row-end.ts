import { UNREAD, type Unread } from "../base/unread.ts";
import { JOB_STATES, type JobState, isTerminal } from "../outcomes/state.ts";
import { type WaitCause, stopsCredential } from "../outcomes/wait-cause.ts";
import { Attempt, parseStoredJson, StoredResult } from "../records/stored-values.ts";
import type { KeptResult } from "./row-result.ts";
import { type RowState, rowStateOfJob } from "./row-state.ts";

/** Where a row stands, by its job or its onboarding. */
export interface RowSight {
  readonly state: RowState;
  /** It is put away for a time of its own, and takes no place in the queue. */
  readonly isAway: boolean;
  /** The ticket that carries its job; null: an entry of its own in the queue does. */
  readonly ticket: string | null;
  /** Null while it has not ended. */
  readonly kept: KeptResult | null;
  /** Ids of records of which nothing comes any more: nobody can settle them, nor try them again. */
  readonly spent: readonly string[];
  /** Until when the code is good that a person is awaited with, ms. */
  readonly deadline?: number;
  /** Nobody gave the code in time. */
  readonly isUnanswered?: true;
}

export const NOTHING_KEPT: KeptResult = {
  ...{ code: null, reason: null, attempts: 0, result: null, clientRefId: null, startedAt: null, endedAt: null },
};

const GONE = "its record is gone: whether it was called cannot be known";

/** Of a row whose job this is, as `LOOK_AT_ROWS` saw it. */
export function sightOf(job: string, answer: readonly string[]): RowSight | Unread {
  const [state = "missing", attempts = "0", third = "", result = "", last = "", updated = ""] = answer;
  if (state === "missing") return noRecord();
  if (!isJobState(state)) return UNREAD;
  if (!isTerminal(state)) {
    const ticket = result === "" ? null : result;
    return { state: rowStateOfJob(state), isAway: isAway(answer), ticket, kept: null, spent: [] };
  }
  const attempt = parseStoredJson(Attempt, last);
  const outcome = attempt?.outcome;
  return {
    state: rowStateOfJob(state),
    isAway: false,
    ticket: null,
    kept: {
      code: outcome === undefined ? null : codeOf(outcome),
      reason: third === "" ? null : third,
      attempts: Number(attempts),
      result: parseStoredJson(StoredResult, result) ?? null,
      clientRefId: attempt?.client_ref_id ?? null,
      startedAt: attempt?.started ?? null,
      endedAt: attempt?.ended ?? (updated === "" ? null : Number(updated)),
    },
    spent: state === "failed" || state === "unknown" ? [] : [job],
  };
}

/** Whether a job is put away for a time of its own, as `LOOK_AT_ROWS` saw it. */
export function isAway([state = "missing", , cause = ""]: readonly string[]): boolean {
  return state === "waiting" && cause !== "" && !stopsCredential(cause as WaitCause);
}

/** Whether the record says no more of itself than that it ended: it is packed (`packRecord`). */
export function isPacked([state = "missing", , , , , updated = ""]: readonly string[]): boolean {
  return isJobState(state) && isTerminal(state) && updated === "";
}

/** The fields of a record as `LOOK_AT_ROWS` would have said it. */
export function lookedUp(fields: Readonly<Record<string, string>>): readonly string[] {
  const { state = "missing", attempts = "0", reason = "", result = "", updated = "" } = fields;
  return [state, attempts, reason, result, fields[`attempt:${attempts}`] ?? "", updated];
}

/** A row in the queue whose job has no record any more. */
export function noRecord(): RowSight {
  return endedAs("unknown", "no-record", GONE);
}

/** A row that ends without its job saying so. */
export function endedAs(state: RowState, code: string, reason: string, result: KeptResult["result"] = null): RowSight {
  return { state, isAway: false, ticket: null, kept: { ...NOTHING_KEPT, code, reason, result }, spent: [] };
}

/** The provider's own code where there is one: `sub_code`, else `response_status_id/response_type_id`, else HTTP's. */
export function codeOf({
  kind,
  sub_code,
  response_status_id,
  response_type_id,
  http_status,
}: {
  readonly kind: string;
  readonly sub_code: string | null;
  readonly response_status_id: number | null;
  readonly response_type_id: number | null;
  readonly http_status: number | null;
}): string {
  if (sub_code !== null) return sub_code;
  if (response_status_id !== null) return `${response_status_id}/${response_type_id ?? ""}`;
  return http_status !== null && http_status >= 400 ? `http-${http_status}` : kind;
}

function isJobState(text: string): text is JobState {
  return (JOB_STATES as readonly string[]).includes(text);
}
