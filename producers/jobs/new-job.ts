import type { Settings } from "../../src/config/settings.ts";
import { holdNamesOf } from "../../src/operations/hold-names.ts";
import { subjectOf } from "../../src/operations/subject.ts";
import { consent } from "../../src/operations/fields.ts";
import type { OpenInput } from "../../src/providers/call.ts";
import type { AuditEntry } from "../../src/privacy/audit/entry.ts";
import type { Sealer } from "../../src/privacy/sealing/sealed-text.ts";
import { inputDigest } from "../../src/secrets/subject-key.ts";
import type { JobRecord } from "../../src/records/record.ts";
import type { Lane } from "../../src/outcomes/lane.ts";
import { OTP_LIFE_MS } from "../../src/outcomes/challenge.ts";
import { sealInput } from "../../src/records/sealed-input.ts";
import type { NewJob } from "../../src/records/stored-job.ts";
import type { CheckedInput } from "./input-check.ts";

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
}

/** A checked input as the job that enters, sealed. */
export function newJob(
  { subjectKey }: Settings,
  sealer: Sealer,
  { operation, input, clientRefId, of, deadline }: CheckedInput,
  { id, isOwn, lane, expiresInMs, createdAt, actor }: NewJobTerms,
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
