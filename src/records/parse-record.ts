import { FOREVER } from "../limits/gate/control-fields.ts";
import type { JobRecord, RecordedAttempt, RecordedDecision } from "./record.ts";
import type { JobState } from "../outcomes/state.ts";
import { unpackJob } from "./stored-job.ts";
import {
  Attempt,
  brokenFields,
  Decision,
  parseStoredJson,
  storedCount,
  storedMs,
  StoredResult,
} from "./stored-values.ts";
import { describeWait, WAIT_CAUSES, type WaitCause } from "../outcomes/wait-cause.ts";

/** Shown for a time that cannot be read. */
const NO_TIME = "1970-01-01T00:00:00.000Z";

type Fields = Readonly<Record<string, string>>;

/**
 * The record that people see, from the fields of its hash. Sealed fields stay behind. Never throws: what cannot be read is
 * named in `unreadable`, and left out.
 */
export function parseRecord(id: string, fields: Fields): JobRecord {
  const broken = brokenFields(fields);
  const attempts = attemptsOf(fields, broken);
  const { operation, lane, createdAt, expiresAt } = unpackJob(fields["job"] ?? "");
  const isJobBroken = broken.includes("job");
  const result = fields["result"] === undefined ? null : parseStoredJson(StoredResult, fields["result"]);
  if (result === undefined) broken.push("result");
  const decisions = decisionsOf(fields["decisions"] ?? "", broken);
  const cause = WAIT_CAUSES.find((known) => known === fields["cause"]);
  if (fields["cause"] !== undefined && cause === undefined) broken.push("cause");
  return {
    id,
    operation: isJobBroken ? "unreadable" : operation,
    lane: isJobBroken ? "interactive" : lane,
    // One whose state is garbled will not be called any more.
    state: broken.includes("state") ? "failed" : (fields["state"] as JobState),
    outcome: attempts.findLast(({ outcome }) => outcome !== null)?.outcome ?? null,
    attempts,
    next_attempt_at: Number(fields["next"]) === FOREVER ? null : iso(fields["next"]),
    reason: fields["reason"] ?? waitReason(cause, fields["detail"]),
    result: result ?? null,
    expires_at: isJobBroken || expiresAt === null ? null : new Date(expiresAt).toISOString(),
    created_at: isJobBroken ? NO_TIME : new Date(createdAt).toISOString(),
    updated_at: iso(fields["updated"]) ?? NO_TIME,
    ...(fields["decisions"] === undefined ? {} : { decisions }),
    ...(broken.length === 0 ? {} : { unreadable: broken }),
  };
}

/** One JSON line each. */
function decisionsOf(lines: string, broken: string[]): RecordedDecision[] {
  return lines
    .split("\n")
    .filter((line) => line !== "")
    .flatMap((line) => {
      const read = parseStoredJson(Decision, line);
      if (read === undefined) {
        if (!broken.includes("decisions")) broken.push("decisions");
        return [];
      }
      return [{ ...read, at: new Date(read.at).toISOString() }];
    });
}

function waitReason(cause: WaitCause | undefined, detail: string | undefined): string | null {
  return cause === undefined ? null : describeWait(cause, detail ?? "");
}

function attemptsOf(fields: Fields, broken: string[]): RecordedAttempt[] {
  const attempts: RecordedAttempt[] = [];
  const count = storedCount(fields["attempts"]) ?? 0;
  for (let n = 1; n <= count; n++) {
    const name = `attempt:${n}`;
    const stored = parseStoredJson(Attempt, fields[name] ?? "");
    if (stored === undefined) {
      broken.push(name);
      continue;
    }
    const { client_ref_id, started, ended, outcome } = stored;
    attempts.push({
      ...{ n, client_ref_id, started_at: new Date(started).toISOString() },
      ended_at: ended === undefined ? null : new Date(ended).toISOString(),
      outcome: outcome ?? null,
    });
  }
  return attempts;
}

function iso(text: string | undefined): string | null {
  const ms = storedMs(text);
  return ms === null ? null : new Date(ms).toISOString();
}
