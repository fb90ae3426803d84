import { assertNever } from "../src/base/assert-never.ts";
import { holdNameOf } from "../src/operations/hold-names.ts";
import { HEARTBEAT } from "../src/operations/catalogue.ts";
import type { Operation } from "../src/operations/operation.ts";
import type { OpenInput } from "../src/providers/call.ts";
import { costsAttempt } from "../src/outcomes/decision.ts";
import { isEndedByUs, type NoReplyCause } from "../src/outcomes/no-reply.ts";
import type { Outcome, Result } from "../src/outcomes/outcome.ts";
import type { AuditEntry } from "../src/privacy/audit/entry.ts";
import type { CallHealth } from "../src/records/attempt-end.ts";

/** How soon one job tries whether a refusal was only that of a wrong time, which is known by then; in ms. */
const OTHER_TIME_MS = 1_000;

/**
 * What a call says about the provider and our credentials; null where it was not made. `wasSignedOffTime`: it was signed with a time
 * that was not the provider's: then a refusal may be about that alone.
 */
export function callHealth(
  outcome: Outcome,
  operation: Operation,
  input: OpenInput,
  wasSignedOffTime: boolean,
): CallHealth | null {
  switch (outcome.kind) {
    case "succeeded":
    case "rejected":
    case "pending":
      return { kind: "well" };
    case "unavailable":
    case "unknown":
      return isEndedHere(outcome) ? null : { kind: "failed" };
    case "throttled":
      return { kind: "throttled", retryAfterMs: outcome.retryAfterMs };
    case "refused":
      return {
        ...{ kind: "refused", scope: holdNameOf(outcome.scope, operation, input), reason: outcome.reason },
        retryAfterMs: wasSignedOffTime ? OTHER_TIME_MS : undefined,
      };
    default:
      return assertNever(outcome, "outcome");
  }
}

/** Whether an attempt that ended so costs its job one; `isProbe`: it was made to see whether the provider is back. */
export function isCharged(outcome: Outcome, isProbe: boolean, { afterUnknown }: Operation): boolean {
  if (!costsAttempt(outcome.kind)) return false;
  if (outcome.kind === "unavailable") return !isProbe && !isEndedHere(outcome);
  return !(outcome.kind === "unknown" && isProbe && afterUnknown === "repeat");
}

function isEndedHere({ noReply }: Extract<Outcome, { noReply?: NoReplyCause }>): boolean {
  return noReply !== undefined && isEndedByUs(noReply);
}

/** Whether a person was sent an OTP, or may have been: it counts for the cooldown. */
export function isSent({ kind }: Outcome): boolean {
  return kind === "succeeded" || kind === "pending" || kind === "unknown";
}

/** The longest transaction id that the audit log keeps, in characters. */
const LONGEST_TRANSACTION = 128;

export interface AuditedCall {
  readonly job: string;
  readonly operation: string;
  readonly subject: string | null;
  readonly attempt: number;
  readonly clientRefId: string;
  readonly endedAt: number;
  /** Null: its trace is not kept. */
  readonly traceId: string | null;
}

/**
 * The audit log's entry of a call; null of a heartbeat, which is about nobody. `input` is what it was made with; empty where its
 * worker was lost.
 */
export function callEntry(call: AuditedCall, outcome: Outcome, input: OpenInput): AuditEntry | null {
  if (call.operation === HEARTBEAT.name) return null;
  const { job, operation, subject, attempt, clientRefId, endedAt, traceId } = call;
  const { consent } = input;
  const reference =
    typeof consent === "object" && consent !== null && "reference" in consent ? consent.reference : null;
  const { transaction_id, tid }: Result = outcome.kind === "succeeded" ? outcome.result : {};
  const transaction = transaction_id ?? tid ?? null;
  return {
    at: new Date(endedAt).toISOString(),
    kind: "call",
    actor: "worker",
    ...{ job, operation, subject },
    consent: typeof reference === "string" ? reference : null,
    ...{ attempt, client_ref_id: clientRefId },
    transaction: transaction === null ? null : String(transaction).slice(0, LONGEST_TRANSACTION),
    outcome: outcome.kind,
    ...(traceId === null ? {} : { trace_id: traceId }),
  };
}
