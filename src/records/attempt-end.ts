import type { Result } from "../outcomes/outcome.ts";
import { type AuditEntry, auditText } from "../privacy/audit/entry.ts";
import type { RowOf } from "../redis/script.ts";
import type { StoredAttempt } from "./attempt-start.ts";
import { type Retention, retentionArgs } from "./retention.ts";
import type { FINISH } from "./scripts/finish.ts";
import type { StoredJob } from "./stored-job.ts";
import type { TerminalState } from "../outcomes/state.ts";
import type { WaitCause } from "../outcomes/wait-cause.ts";

/** How a call went, for the gate. Null: no call was made, or it says nothing about the provider. */
export type CallHealth =
  | { readonly kind: "well" }
  | { readonly kind: "failed" }
  | { readonly kind: "throttled"; readonly retryAfterMs: number | null }
  /** `scope` as in `NewJob.holdNames`; null: the whole credential. `retryAfterMs`: until one job may try; default: HOLD_PROBE. */
  | {
      readonly kind: "refused";
      readonly scope: string | null;
      readonly reason: string;
      readonly retryAfterMs?: number | undefined;
    };

/** Everything that closing an attempt changes. */
export interface AttemptEnd {
  /** The one that `AttemptStart` gave. */
  readonly attemptToken: string;
  readonly attempt: StoredAttempt;
  readonly state: TerminalState | "waiting";
  readonly reason: string | null;
  /** When the job will be tried again, in ms; only with `waiting`. */
  readonly nextAt: number | null;
  readonly cause: WaitCause | null;
  readonly result: Result | null;
  /** Sealed personal data, or null. */
  readonly personal: string | null;
  readonly used: number;
  readonly pendings: number;
  readonly resends: number;
  readonly health: CallHealth | null;
  /** Whose attempt it is. */
  readonly job: StoredJob;
  /** The person was sent an OTP, or may have been: it counts for the cooldown. */
  readonly sent: boolean;
  /** Id of the send whose OTP this verify answers, or null. */
  readonly answers: string | null;
  readonly retention: Retention;
  /** The audit log's entry; null where no call was made. */
  readonly entry: AuditEntry | null;
  /** The attempt is closed without its reply; a late reply may still correct it. */
  readonly lost: boolean;
}

/** What became of closing it. `nextAt` as the gate decided, ms; `stale`: somebody else closed it already, with its reply. */
export interface Closed {
  readonly answer: "done" | "stale" | "missing";
  readonly nextAt: number | null;
  /** The attempt was taken for lost before, and counted as `unknown`: this is its late truth. */
  readonly corrected: boolean;
}

/** The first half of an attempt token: the attempt's number, from 1. */
export function attemptNumber(attemptToken: string): number {
  return Number.parseInt(attemptToken, 10);
}

/** The second half of an attempt token: which process opened it, and when (`Journal.openerAt`). */
export function openerOf(attemptToken: string): string {
  return attemptToken.slice(attemptToken.indexOf(" ") + 1);
}

/** What FINISH is told of one job. */
export function endRow(id: string, now: number, end: AttemptEnd): RowOf<typeof FINISH> {
  const { health } = end;
  const refused = health?.kind === "refused" ? health : null;
  const { look_at, keeps_input } = retentionArgs(end.retention);
  // One literal: spread together of several it takes 15 times the memory, at each call.
  return {
    id,
    now,
    open: end.attemptToken,
    attempt: JSON.stringify(end.attempt),
    state: end.state,
    reason: end.reason,
    next_at: end.nextAt,
    cause: end.cause,
    result: end.result === null ? null : JSON.stringify(end.result),
    personal: end.personal,
    spent: `${end.used} ${end.pendings} ${end.resends}`,
    lost: end.lost ? end.attemptToken : null,
    went: health?.kind ?? null,
    retry_after: health?.kind === "throttled" ? health.retryAfterMs : (refused?.retryAfterMs ?? null),
    scope: refused?.scope ?? null,
    why: refused?.reason ?? null,
    subject: end.job.subject,
    sent: end.sent,
    scopes: end.job.holdNames.join(" "),
    answers: end.answers,
    look_at,
    keeps_input,
    entry: end.entry === null ? null : auditText(end.entry),
  };
}

/** What FINISH and FINISH_PACKED answer for one job. */
export function parseClosed([answer, nextAt, corrected]: readonly string[]): Closed {
  if (answer !== "done" && answer !== "stale" && answer !== "missing") {
    throw new TypeError(`the finish script answered ${answer ?? "nothing"}: ${nextAt ?? ""}`);
  }
  return {
    answer,
    nextAt: nextAt === undefined || nextAt === "" ? null : Number(nextAt),
    corrected: corrected === "corrected",
  };
}
