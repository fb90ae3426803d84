import { auditText } from "../privacy/audit/entry.ts";
import type { RowOf } from "../redis/script.ts";
import { type AttemptEnd, attemptNumber } from "./attempt-end.ts";
import { packRecord } from "./packed-record.ts";
import { retentionArgs } from "./retention.ts";
import type { FINISH_PACKED } from "./scripts/finish.ts";
import { packJob } from "./stored-job.ts";

/** In no id and no name of an operation. */
const NONE = "~";

/** What FINISH_PACKED is told of one job. */
export type PackedEnd = RowOf<typeof FINISH_PACKED> & { readonly id: string };

/** The most pieces of one record here: a longer one is packed by the reaper. */
const MOST_PIECES = 4;

/**
 * Null: its record cannot be packed yet, or the gate has to be told more than that its call went well. FINISH closes such an attempt.
 * `pieceBytes` as for `packRecord`; `archives`: the reaper archives it, default false.
 */
export function packedEnd(
  id: string,
  now: number,
  end: AttemptEnd,
  pieceBytes: number,
  archives = false,
): PackedEnd | null {
  const { attemptToken, retention, result, health, job, entry } = end;
  if (health !== null && health.kind !== "well") return null;
  const { look_at, keeps_input } = retentionArgs(retention);
  // Of a send that may have sent none, scripts would have to know more.
  if (keeps_input && result?.["otp_sent"] !== true) return null;
  const pieces = packEnd(id, now, end, pieceBytes);
  if (pieces === null || pieces.length > MOST_PIECES) return null;
  // One literal, as in `endRow`.
  return {
    id,
    now,
    open: attemptToken,
    kind: endKind(end, keeps_input),
    pieces: pieces.join("\0"),
    subject: job.subject,
    // Without anything sealed it is looked at no more, or once to be archived.
    look_at: keeps_input || archives ? look_at : null,
    entry: entry === null ? null : auditText(entry),
  };
}

/**
 * `STATE OPERATION|~ ANSWERS|~ FLAGS HOLD-NAME…`: the operation of a send whose OTP may still be answered, the send that a verify
 * answers, and as 0 or 1 whether the gate is told that the call went well, whether an OTP was or may have been sent, and whether the
 * input stays.
 */
function endKind({ state, health, job, sent, answers }: AttemptEnd, keepsInput: boolean): string {
  const flags = `${health === null ? 0 : 1}${sent ? 1 : 0}${keepsInput ? 1 : 0}`;
  return `${state} ${keepsInput ? job.operation : NONE} ${answers ?? NONE} ${flags} ${job.holdNames.join(" ")}`;
}

/** The record of a job that ends with its first attempt, packed. Null: it is none that is packed at once. */
function packEnd(id: string, now: number, end: AttemptEnd, pieceBytes: number): string[] | null {
  const { attemptToken, attempt, state, reason, result, personal, lost, retention, job } = end;
  // Of all others somebody has still to decide.
  const isOver = state === "succeeded" || state === "rejected";
  if (!isOver || lost || personal !== null || attemptNumber(attemptToken) !== 1) return null;
  if (retention.lookAt === "unchanged") return null;
  const fields: Record<string, string> = {
    job: packJob(job),
    attempts: "1",
    updated: String(now),
    "attempt:1": JSON.stringify(attempt),
  };
  if (reason !== null) fields["reason"] = reason;
  if (result !== null) fields["result"] = JSON.stringify(result);
  return packRecord(id, fields, pieceBytes);
}
