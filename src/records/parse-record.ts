import type { Result } from "../outcomes/outcome.ts";
import type { JobRecord, RecordedAttempt, RecordedDecision } from "./record.ts";
import type { StoredAttempt } from "./beginning.ts";
import type { JobState } from "./state.ts";
import { unpackJob } from "./stored-job.ts";
import { describeWait, type WaitCause } from "./wait-cause.ts";

/** What the gate answers while a quota is 0: nobody knows when that will change. */
const NEVER = 8.64e15;

/** The record that people see, from the fields of its hash. Sealed fields stay behind. */
export function parseRecord(id: string, fields: Readonly<Record<string, string>>): JobRecord {
  const attempts = Array.from({ length: Number(fields["attempts"] ?? 0) }, (_, index) => attempt(fields, index + 1));
  const { operation, lane, createdAt, expiresAt } = unpackJob(fields["job"] ?? "");
  return {
    id,
    operation,
    lane,
    state: fields["state"] as JobState,
    outcome: attempts.findLast(({ outcome }) => outcome !== null)?.outcome ?? null,
    attempts,
    next_attempt_at: Number(fields["next"]) === NEVER ? null : iso(fields["next"]),
    reason: fields["reason"] ?? waitReason(fields),
    result: fields["result"] === undefined ? null : (JSON.parse(fields["result"]) as Result),
    expires_at: expiresAt === null ? null : new Date(expiresAt).toISOString(),
    created_at: new Date(createdAt).toISOString(),
    updated_at: iso(fields["updated"]) ?? "",
    ...(fields["decisions"] === undefined ? {} : { decisions: parseDecisions(fields["decisions"]) }),
  };
}

/** One JSON line each. */
function parseDecisions(lines: string): RecordedDecision[] {
  return lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const { decision, reason, at } = JSON.parse(line) as Omit<RecordedDecision, "at"> & { readonly at: number };
      return { decision, reason, at: new Date(at).toISOString() };
    });
}

function waitReason({ cause, detail }: Readonly<Record<string, string>>): string | null {
  return cause === undefined ? null : describeWait(cause as WaitCause, detail ?? "");
}

function attempt(fields: Readonly<Record<string, string>>, n: number): RecordedAttempt {
  const stored = JSON.parse(fields[`attempt:${n}`] ?? "{}") as StoredAttempt;
  return {
    n,
    client_ref_id: stored.client_ref_id,
    started_at: new Date(stored.started).toISOString(),
    ended_at: stored.ended === undefined ? null : new Date(stored.ended).toISOString(),
    outcome: stored.outcome ?? null,
  };
}

function iso(ms: string | undefined): string | null {
  return ms === undefined ? null : new Date(Number(ms)).toISOString();
}
