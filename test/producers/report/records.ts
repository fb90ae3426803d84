import { NO_REPLY } from "../../../src/outcomes/outcome.ts";
import type { JobRecord, RecordedAttempt, RecordedOutcome } from "../../../src/records/record.ts";

const AT = Date.UTC(2026, 0, 31, 10);

/** An attempt that took so many ms; null: it is still open. */
export function attempt(n: number, tookMs: number | null, outcome: Partial<RecordedOutcome> = {}): RecordedAttempt {
  return {
    n,
    client_ref_id: `ref-${n}`,
    started_at: new Date(AT).toISOString(),
    ended_at: tookMs === null ? null : new Date(AT + tookMs).toISOString(),
    outcome: tookMs === null ? null : { kind: "succeeded", ...NO_REPLY, ...outcome },
  };
}

export function jobRecord(changes: Partial<JobRecord> = {}): JobRecord {
  return {
    id: "order-1",
    operation: "eko.mobile-otp",
    lane: "interactive",
    state: "succeeded",
    outcome: changes.attempts?.at(-1)?.outcome ?? null,
    attempts: [],
    next_attempt_at: null,
    reason: null,
    result: null,
    expires_at: null,
    created_at: new Date(AT).toISOString(),
    updated_at: new Date(AT + 1_000).toISOString(),
    ...changes,
  };
}
