import { holdNamesOf } from "../operations/hold-names.ts";
import { consent } from "../operations/fields.ts";
import type { Operation } from "../operations/operation.ts";
import { subjectOf } from "../operations/subject.ts";
import { OTP_LIFE_MS } from "../outcomes/challenge.ts";
import type { Lane } from "../outcomes/lane.ts";
import type { AuditEntry } from "../privacy/audit/entry.ts";
import type { Sealer } from "../privacy/sealing/sealed-text.ts";
import type { OpenInput } from "../providers/call.ts";
import type { Secret } from "../secrets/secret.ts";
import { inputDigest } from "../secrets/subject-key.ts";
import type { JobRecord } from "./record.ts";
import { sealInput } from "./sealed-input.ts";
import type { NewJob } from "./stored-job.ts";

/** An input that may enter: complete, its secrets as `Secret`. */
export interface JobInput {
  readonly operation: Operation;
  readonly input: OpenInput;
  /** The `client_ref_id` that every attempt has to use, or null: a mobile verify re-uses its send's (design §2). */
  readonly clientRefId: string | null;
  /** Id of the send whose OTP it answers, or null. */
  readonly of: string | null;
  /** A verify dies with the OTP that it answers: ms since the epoch; null where that is not known. */
  readonly deadline: number | null;
}

export interface NewJobTerms {
  readonly id: string;
  /** Whether the id is the caller's own. */
  readonly isOwn: boolean;
  readonly lane: Lane;
  /** From when it is accepted, in ms; null: no deadline. */
  readonly expiresInMs: number | null;
  /** In ms. */
  readonly createdAt: number;
  /** The name of the caller in the audit log. */
  readonly actor: string;
  /** Who is told of its end (`packParent`); default: nobody. */
  readonly parent?: string | null;
}

/** A checked input as the job that enters, sealed. */
export function newJob(
  subjectKey: Secret,
  sealer: Sealer,
  { operation, input, clientRefId, of, deadline }: JobInput,
  { id, isOwn, lane, expiresInMs, createdAt, actor, parent = null }: NewJobTerms,
): NewJob {
  const subject = subjectOf(subjectKey, operation, input);
  return {
    id,
    operation: operation.name,
    lane,
    input: sealInput(sealer, operation, id, input),
    digest: inputDigest(subjectKey, operation.name, input),
    reference: clientRefId === null ? (isOwn ? "fresh" : "derived") : { fixed: clientRefId },
    of,
    subject,
    holdNames: holdNamesOf(operation, input),
    createdAt,
    expiresAt: earliest(
      expiresInMs === null ? null : createdAt + expiresInMs,
      deadline ?? (operation.step === "verify" ? createdAt + OTP_LIFE_MS : null),
    ),
    parent,
    consent: consentEntry({ job: id, operation: operation.name, subject, actor, createdAt }, input),
  };
}

interface Consenting {
  readonly job: string;
  readonly operation: string;
  readonly subject: string | null;
  readonly actor: string;
  readonly createdAt: number;
}

/** The consent of an input, for the audit log; null where it has none. */
function consentEntry(about: Consenting, { consent: given }: OpenInput): AuditEntry | null {
  if (given === undefined) return null;
  const { reference, method, obtained_at, language = null } = consent.parse(given);
  const { job, operation, subject, actor, createdAt } = about;
  return {
    ...{ at: new Date(createdAt).toISOString(), kind: "consent", actor, job, operation, subject },
    ...{ consent: reference, method, obtained_at, language },
  };
}

/** A verify is of no use after its OTP has died, whatever its caller says. */
function earliest(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other);
}

/** What a job looks like the moment it is in: saves reading it back. */
export function queuedRecord(job: NewJob): JobRecord {
  const createdAt = new Date(job.createdAt).toISOString();
  return {
    id: job.id,
    operation: job.operation,
    lane: job.lane,
    state: "queued",
    outcome: null,
    attempts: [],
    next_attempt_at: null,
    reason: null,
    result: null,
    expires_at: job.expiresAt === null ? null : new Date(job.expiresAt).toISOString(),
    created_at: createdAt,
    updated_at: createdAt,
  };
}
