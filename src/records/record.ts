import type { OutcomeKind, ReplyFacts, Result } from "../outcomes/outcome.ts";
import type { Lane } from "../outcomes/lane.ts";
import type { JobState } from "../outcomes/state.ts";

/** An attempt's outcome, as the outside contract shows it (design §6). */
export type RecordedOutcome = { readonly kind: OutcomeKind } & ReplyFacts;

export interface RecordedAttempt {
  /** From 1. */
  readonly n: number;
  readonly client_ref_id: string;
  /** ISO 8601, UTC. */
  readonly started_at: string;
  /** Null while the attempt is open: between the request and its reply. */
  readonly ended_at: string | null;
  readonly outcome: RecordedOutcome | null;
}

/** What somebody decided about a job: how an `unknown` one ended (`settle`), that a failed one is tried again (`retry`), or one that waits now (`promote`). */
export interface RecordedDecision {
  readonly decision: "succeeded" | "rejected" | "resend" | "retry" | "promote";
  readonly reason: string | null;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** What is kept and shown about a job: the JSON of design §6. Holds references and masks, nothing personal in clear. */
export interface JobRecord {
  readonly id: string;
  readonly operation: string;
  readonly lane: Lane;
  readonly state: JobState;
  /** That of the last attempt that ended. */
  readonly outcome: RecordedOutcome | null;
  readonly attempts: readonly RecordedAttempt[];
  /** ISO 8601; null unless `waiting`. */
  readonly next_attempt_at: string | null;
  readonly reason: string | null;
  readonly result: Result | null;
  /** ISO 8601; past it the job is `expired` and never called. */
  readonly expires_at: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  /** Its trace; only where traces are kept (`OTEL_EXPORTER_OTLP_ENDPOINT`), and this one is. */
  readonly trace_id?: string;
  /** Oldest first; absent where there are none. */
  readonly decisions?: readonly RecordedDecision[];
  /** The names of the fields that are not what was stored (error code `unreadable`); absent where there are none. */
  readonly unreadable?: readonly string[];
  /** Set on the answer to a `submit` whose id was there before. */
  readonly duplicate?: true;
  /** Set on the answer to a `submit` that sent nothing, because this job's OTP to the same person is still open. */
  readonly reused?: true;
}
