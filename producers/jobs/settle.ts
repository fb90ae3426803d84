import type { Settings } from "../../src/config/settings.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { findOperation } from "../../src/operations/catalogue.ts";
import type { JobRecord } from "../../src/records/record.ts";
import { type Retention, retentionOf } from "../../src/records/retention.ts";
import { isTerminal, type JobState } from "../../src/outcomes/state.ts";
import type { AuditEntry } from "../../src/privacy/audit/entry.ts";
import { type Actor, checkReason } from "../base/actor.ts";
import { asQueued, findJob, unknownJob } from "./find-job.ts";
import type { ClientConnections } from "../base/client-connections.ts";
import { inputDestroyed, requeue } from "./requeue.ts";

/** What may be decided about a job that is `unknown`: `resend` makes one more attempt. */
export const SETTLE_DECISIONS = ["succeeded", "rejected", "resend"] as const;
export type SettleDecision = (typeof SETTLE_DECISIONS)[number];

export interface SettleOptions {
  /** Why; kept with the record in clear, so without anything personal. */
  readonly reason: string;
}

/**
 * Decides an `unknown` job. A `resend` waits out what is left of the person's cooldown.
 * @throws SatyapanError `unknown-job`; `bad-input` for a job that is not `unknown`, or a bad decision or reason; `expired`
 */
export async function settle(
  { records, queues }: ClientConnections,
  settings: Settings,
  { name: actor, now }: Actor,
  id: string,
  decision: SettleDecision,
  options: SettleOptions,
): Promise<JobRecord> {
  const reason = checkSettling(decision, options);
  const { queue, record, subject } = await findJob(records, id);
  if (record.state !== "unknown") throw notUnknown(id, record.state);
  const at = now();
  const line = JSON.stringify({ decision, reason, at });
  const entry: AuditEntry = {
    ...{ at: new Date(at).toISOString(), kind: "settle", actor, job: id, operation: record.operation, subject },
    ...{ outcome: decision, reason },
  };
  let answer: string;
  if (decision === "resend") {
    if (record.expires_at !== null && at >= Date.parse(record.expires_at)) throw tooLate(record);
    answer = await requeue(
      queues,
      queue,
      [asQueued(record)],
      cooldownLeft(record, settings, at),
      async () => await records.settle(queue, id, "queued", line, at, untilDeadline(record), entry),
    );
  } else {
    const { step } = findOperation(record.operation);
    const retention = retentionOf({
      ...{ state: decision, step, result: null, hasPersonal: false, endedAt: at },
      resultRetentionMs: settings.retention.resultMs,
    });
    answer = await records.settle(queue, id, decision, line, at, retention, entry);
  }
  if (answer === "missing") throw unknownJob(id);
  if (answer === "destroyed") throw inputDestroyed(id);
  if (answer !== "done") throw notUnknown(id, answer as JobState);
  return (await findJob(records, id)).record;
}

/** The reason, trimmed. Throws SatyapanError `bad-input`. */
export function checkSettling(decision: SettleDecision, { reason }: SettleOptions): string {
  // Types do not hold callers in JavaScript back.
  if (!SETTLE_DECISIONS.includes(decision)) {
    throw new SatyapanError(ErrorCode.BAD_INPUT, `decision: must be one of ${SETTLE_DECISIONS.join(", ")}`);
  }
  return checkReason(typeof reason === "string" ? reason : "");
}

/** Ms until the person may be sent another OTP: the gate does not count a job's own sends. */
function cooldownLeft({ operation, attempts }: JobRecord, { otp }: Settings, now: number): number {
  const last = attempts.at(-1);
  if (findOperation(operation).step !== "send" || last === undefined) return 0;
  return Math.max(0, Date.parse(last.started_at) + otp.cooldownMs - now);
}

function untilDeadline({ expires_at }: JobRecord): Retention {
  return { lookAt: expires_at === null ? null : Date.parse(expires_at), keepsInput: true };
}

function notUnknown(id: string, state: JobState): SatyapanError {
  const instead =
    state === "failed"
      ? `\`satyapan failed retry ${id}\` tries it again`
      : isTerminal(state)
        ? "there is nothing to decide"
        : "it goes on by itself";
  return new SatyapanError(ErrorCode.BAD_INPUT, `job ${id} is ${state}, not unknown: ${instead}`);
}

function tooLate({ id, expires_at }: JobRecord): SatyapanError {
  const message = `job ${id} had to be done by ${expires_at}: settle it otherwise, and submit a new one`;
  return new SatyapanError(ErrorCode.EXPIRED, message);
}
