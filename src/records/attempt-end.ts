import type { Result } from "../outcomes/outcome.ts";
import { type AuditEntry, auditText } from "../privacy/audit/entry.ts";
import type { StoredAttempt } from "./attempt-start.ts";
import { type Retention, retentionArgs } from "./retention.ts";
import type { TerminalState } from "../outcomes/state.ts";
import type { WaitCause } from "../outcomes/wait-cause.ts";

/** How a call went, for the gate. Null: no call was made, or it says nothing about the provider. */
export type CallHealth =
  | { readonly kind: "well" }
  | { readonly kind: "failed" }
  | { readonly kind: "throttled"; readonly retryAfterMs: number | null }
  /** `scope` as in `NewJob.scopes`; null: the whole credential. */
  | { readonly kind: "refused"; readonly scope: string | null; readonly reason: string };

/** Everything that closing an attempt changes. */
export interface Ending {
  /** As `Beginning` gave it. */
  readonly open: string;
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
  /** Keyed hash of the person who is sent an OTP; null where nobody is. */
  readonly subject: string | null;
  /** He was sent an OTP, or may have been: it counts for his cooldown. */
  readonly sent: boolean;
  readonly scopes: readonly string[];
  /** Id of the send whose OTP this verify answers, or null. */
  readonly answers: string | null;
  readonly retention: Retention;
  /** For the audit log; null where no call was made. */
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

/** The number of the attempt that an `open` names. */
export function attemptNumber(open: string): number {
  return Number.parseInt(open, 10);
}

/** What an `open` names beside the number: who opened it, and when. */
export function tokenIn(open: string): string {
  return open.slice(open.indexOf(" ") + 1);
}

/** Adds FINISH's arguments of one job, in its order. */
export function addEndingArgs(args: (string | number)[], id: string, now: number, ending: Ending): void {
  const { open, attempt, state, reason, nextAt, cause, result, personal, used, pendings, resends, health } = ending;
  const spent = `${used} ${pendings} ${resends}`;
  const retryAfterMs = health?.kind === "throttled" ? health.retryAfterMs : null;
  const refused = health?.kind === "refused" ? health : null;
  args.push(id, open, now, JSON.stringify(attempt), state, reason ?? "", nextAt ?? "", cause ?? "");
  args.push(result === null ? "" : JSON.stringify(result), personal ?? "", spent);
  args.push(ending.lost ? open : "", health?.kind ?? "", retryAfterMs ?? "");
  args.push(refused?.scope ?? "", refused?.reason ?? "");
  args.push(ending.subject ?? "", ending.sent ? 1 : 0, ending.scopes.join(" "), ending.answers ?? "");
  args.push(...retentionArgs(ending.retention), ending.entry === null ? "" : auditText(ending.entry));
}

/** What FINISH answers for one job. */
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
