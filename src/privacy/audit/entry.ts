import { z } from "zod";
import { PROVIDERS } from "../../base/provider-name.ts";
import { OUTCOME_KINDS } from "../../outcomes/outcome.ts";
import { LONG_NUMBER } from "../../secrets/number-forms.ts";
import { ID_FORM } from "../../base/id-form.ts";

function words(most: number): z.ZodString {
  return z
    .string()
    .max(most)
    .regex(/^\P{Cc}+$/u, "must be one line of text");
}

/** What a person wrote: it is kept for years, so nothing in it may look like a number of a person. */
function freeWords(most: number): z.ZodString {
  return words(most).refine((text) => !LONG_NUMBER.test(text), "must not hold what looks like a person's number");
}

const jobId = z.string().regex(ID_FORM, "must be a job's id");
const operation = z.string().regex(/^[a-z0-9.-]{1,64}$/, "must be an operation's name");
/** `subjectKey`: never the number. */
const subject = z.string().regex(/^[A-Za-z0-9_-]{22}$/, "must be a subject key");
const count = z.int().nonnegative();
const provider = z.enum(PROVIDERS);

/** The one who did it: a worker by itself, a person by the command, a program by the library. */
const actor = z
  .string()
  .regex(/^(?:worker|(?:command|library):\P{Cc}{1,64})$/u, "must be worker, command:USER or library:NAME")
  .refine((text) => !LONG_NUMBER.test(text), "must not hold what looks like a person's number");

const when = { at: z.iso.datetime() };
const aboutJob = { job: jobId, operation, subject: subject.nullable() };
const reason = freeWords(500);

/** By kind; the order of the fields here is their order in the text that is hashed. */
const KINDS = [
  z.strictObject({
    ...when,
    kind: z.literal("consent"),
    actor,
    ...aboutJob,
    consent: words(200),
    method: freeWords(64),
    obtained_at: z.iso.datetime({ offset: true }),
    language: freeWords(35).nullable(),
  }),
  z.strictObject({
    ...when,
    kind: z.literal("call"),
    actor,
    ...aboutJob,
    consent: words(200).nullable(),
    attempt: z.int().positive(),
    client_ref_id: z.string().regex(/^[A-Za-z0-9_-]{1,20}$/, "must be a client_ref_id"),
    /** The provider's own id of the call. */
    transaction: words(128).nullable(),
    outcome: z.enum(OUTCOME_KINDS),
    /** Only where traces are kept. */
    trace_id: z
      .string()
      .regex(/^[\da-f]{32}$/, "must be a trace's id")
      .optional(),
  }),
  z.strictObject({ ...when, kind: z.literal("reveal"), actor, ...aboutJob, consent: words(200).nullable(), reason }),
  z.strictObject({
    ...when,
    kind: z.literal("settle"),
    actor,
    ...aboutJob,
    outcome: z.enum(["succeeded", "rejected", "resend"]),
    reason,
  }),
  /** Somebody asked what happened to this person. */
  z.strictObject({ ...when, kind: z.literal("find"), actor, subject }),
  z.strictObject({ ...when, kind: z.literal("replay"), actor, ...aboutJob }),
  /** A job that backed off was to be tried at once. */
  z.strictObject({ ...when, kind: z.literal("promote"), actor, ...aboutJob, reason: reason.nullable() }),
  z.strictObject({ ...when, kind: z.literal("cancel"), actor, ...aboutJob, reason }),
  z.strictObject({ ...when, kind: z.literal("drop"), actor, ...aboutJob }),
  z.strictObject({
    ...when,
    kind: z.literal("key"),
    actor,
    /** `audit`: from here on the log is chained with another key. */
    event: z.enum(["created", "rotated", "resealed", "retired", "audit"]),
    /** Its id, never the key. */
    key: words(64),
  }),
  z.strictObject({
    ...when,
    kind: z.literal("shred"),
    actor,
    /** `batch:NAME`, `job:ID`, `older-than:30d`. */
    what: words(100),
    /** The number of data keys. */
    keys: count,
  }),
  /** `quota` null: back to that of the workers' settings. */
  z.strictObject({ ...when, kind: z.literal("quota"), actor, provider, quota: words(500).nullable() }),
  /** `scope` null: the whole credential. */
  z.strictObject({
    ...when,
    kind: z.literal("hold"),
    actor,
    provider,
    event: z.enum(["resume"]),
    scope: words(100).nullable(),
  }),
  z.strictObject({
    ...when,
    kind: z.literal("batch"),
    actor,
    batch: words(100),
    event: z.enum(["submit", "pause", "resume", "cancel", "results", "weight", "open", "repair"]),
    jobs: count.nullable(),
  }),
  /** What lay in an outbox and was no entry: its place in the log, and SHA-256 of it. */
  z.strictObject({
    ...when,
    kind: z.literal("unreadable"),
    actor,
    digest: z.string().regex(/^[A-Za-z0-9_-]{43}$/, "must be a digest"),
  }),
] as const;

/** What is written down for ever about one event: never a number of a person. Times are ISO 8601 in UTC. */
export const AuditEntry = z.discriminatedUnion("kind", KINDS);
export type AuditEntry = z.infer<typeof AuditEntry>;
export type AuditKind = AuditEntry["kind"];

export const AUDIT_KINDS: readonly AuditKind[] = KINDS.map((schema) => schema.shape.kind.value);

const FIELDS: ReadonlyMap<AuditKind, readonly string[]> = new Map(
  KINDS.map((schema) => [schema.shape.kind.value, Object.keys(schema.shape)]),
);

/** One line of JSON, its fields in the schema's order: equal entries have equal texts. Does not check: about 1 µs. */
export function auditText(entry: AuditEntry): string {
  const values: Readonly<Record<string, string | number | null | undefined>> = entry;
  const ordered: Record<string, string | number | null | undefined> = {};
  for (const name of FIELDS.get(entry.kind) ?? []) ordered[name] = values[name];
  return JSON.stringify(ordered);
}
