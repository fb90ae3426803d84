import type { AuditEntry } from "../privacy/audit/entry.ts";
import type { Lane } from "../outcomes/lane.ts";

/** A job as it enters: its input checked and sealed. Times in ms. */
export interface NewJob {
  readonly id: string;
  readonly operation: string;
  readonly lane: Lane;
  /** JSON of the sealed input. */
  readonly input: string;
  readonly digest: string;
  /**
   * The `client_ref_id` of its attempts: `derived` from a generated id, `fresh` for each where the id is the caller's own, or
   * the one that every attempt must use (a mobile verify re-uses its send's).
   */
  readonly reference: "derived" | "fresh" | { readonly fixed: string };
  /** Keyed hash of the person who is sent an OTP; null where nobody is. */
  readonly subject: string | null;
  /** Id of the send whose OTP this verify answers; null: none, or not known. */
  readonly of: string | null;
  /** What may be held for itself: `user_code:X`, `initiator_id:Y`, `operation:Z`; without blanks. */
  readonly holdNames: readonly string[];
  readonly createdAt: number;
  readonly expiresAt: number | null;
  /** The consent that came with it, for the audit log, before its first call; null: none. */
  readonly consent: AuditEntry | null;
  /** Who is told of its end, as `packParent` writes it; null or absent: nobody. */
  readonly parent?: string | null;
  /** The name of the ticket that is to carry it; null or absent: an entry of its own in the queue. */
  readonly ticket?: string | null;
}

/** The part of a job that never changes and is not sealed. */
export type StoredJob = Omit<NewJob, "id" | "input" | "digest" | "consent" | "parent" | "ticket">;

/** Words that stand for no value: in no id, subject or `client_ref_id`. */
const NONE = "~";
const DERIVED = "+";

/**
 * One text of words, because a hash's fields are what a record costs in Redis:
 * `operation lane created expires|~ subject|~ ref of|~ scope…`; `ref` is `+` (derived), `~` (fresh) or the fixed one.
 */
export function packJob({
  operation,
  lane,
  createdAt,
  expiresAt,
  subject,
  reference,
  of,
  holdNames,
}: StoredJob): string {
  const ref = reference === "derived" ? DERIVED : reference === "fresh" ? NONE : reference.fixed;
  const words = [operation, lane, createdAt, expiresAt ?? NONE, subject ?? NONE, ref, of ?? NONE, ...holdNames];
  return words.join(" ");
}

export function unpackJob(text: string): StoredJob {
  const [operation = "", lane, created, expires, subject = NONE, ref = NONE, of = NONE, ...holdNames] = text.split(" ");
  return {
    operation,
    lane: lane as Lane,
    createdAt: Number(created),
    expiresAt: expires === NONE ? null : Number(expires),
    subject: subject === NONE ? null : subject,
    reference: ref === DERIVED ? "derived" : ref === NONE ? "fresh" : { fixed: ref },
    of: of === NONE ? null : of,
    holdNames,
  };
}
