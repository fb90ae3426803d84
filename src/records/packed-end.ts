import { auditText } from "../privacy/audit/entry.ts";
import type { RowOf } from "../redis/script.ts";
import { type AttemptEnd, attemptNumber } from "./attempt-end.ts";
import { packRecord } from "./packed-record.ts";
import { retentionArgs } from "./retention.ts";
import type { FINISH_PACKED } from "./scripts/finish.ts";
import { packJob } from "./stored-job.ts";

/** What FINISH_PACKED is told of one job. */
export type PackedEnd = RowOf<typeof FINISH_PACKED> & { readonly id: string };

/** Null: its record cannot be packed yet, or the gate has to be told more than that its call went well. FINISH closes such an attempt. */
export function packedEnd(id: string, now: number, end: AttemptEnd): PackedEnd | null {
  const { attemptToken, state, retention, result, health, job, sent, answers, entry } = end;
  if (health !== null && health.kind !== "well") return null;
  const { look_at, keeps_input } = retentionArgs(retention);
  // Of a send that may have sent none, scripts would have to know more.
  if (keeps_input && result?.["otp_sent"] !== true) return null;
  const [piece_1, piece_2 = null, piece_3 = null, piece_4 = null, more] = packEnd(id, now, end) ?? [];
  if (piece_1 === undefined || more !== undefined) return null;
  // One literal, as in `endRow`.
  return {
    id,
    now,
    open: attemptToken,
    state,
    operation: keeps_input ? job.operation : null,
    piece_1,
    piece_2,
    piece_3,
    piece_4,
    is_well: health !== null,
    subject: job.subject,
    sent,
    scopes: job.holdNames.join(" "),
    answers,
    // Without anything sealed it is looked at no more.
    look_at: keeps_input ? look_at : null,
    keeps_input,
    entry: entry === null ? null : auditText(entry),
  };
}

/** The record of a job that ends with its first attempt, packed. Null: it is none that is packed at once. */
function packEnd(id: string, now: number, end: AttemptEnd): string[] | null {
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
  return packRecord(id, fields);
}
