import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { findOperation, OPERATION_NAMES } from "../../src/operations/catalogue.ts";
import { appendAudit } from "../../src/privacy/audit/outbox.ts";
import { clearValues } from "../../src/privacy/sealing/clear-values.ts";
import { parseRecord } from "../../src/records/parse-record.ts";
import type { JobRecord } from "../../src/records/record.ts";
import { openInput, openPersonal } from "../../src/records/sealed-input.ts";
import { unpackJob } from "../../src/records/stored-job.ts";
import { type Actor, checkReason } from "../base/actor.ts";
import { findFields } from "./find-job.ts";
import type { ClientConnections } from "../base/client-connections.ts";

export interface RevealOptions {
  /** Why; written into the audit log before anything is answered, so without anything personal. */
  readonly reason: string;
  /** The name of the asker, if it is not the client's own actor: it is written as `library:ACTOR`. */
  readonly actor?: string;
  /** Destroys the result's personal part with the answer. Default false. */
  readonly once?: boolean;
}

/** A job's sealed values in clear; null where they are not kept any more. */
export interface Revealed {
  readonly record: JobRecord;
  readonly input: Readonly<Record<string, unknown>> | null;
  readonly personal: Readonly<Record<string, unknown>> | null;
}

/**
 * The only way to clear values. It is in the audit log before it answers.
 * @throws SatyapanError `unknown-job`, `bad-input` for a bad reason, `shredded`, `unknown-key`, `unreadable`
 */
export async function reveal(
  { redis, records, dataKeys }: ClientConnections,
  { name: actor, now }: Actor,
  id: string,
  { reason, once = false }: RevealOptions,
): Promise<Revealed> {
  const why = checkReason(typeof reason === "string" ? reason : "");
  const { queue, fields } = await findFields(records, id);
  const { operation: name, subject } = unpackJob(fields["job"] ?? "");
  if (!OPERATION_NAMES.includes(name)) {
    throw new SatyapanError(ErrorCode.UNREADABLE, `nothing of job ${id} can be opened: its record cannot be read`);
  }
  const operation = findOperation(name);
  const { input: sealedInput, personal: sealedPersonal } = fields;
  const opener = await dataKeys.opener([sealedInput ?? "", sealedPersonal ?? ""]);
  const input = sealedInput === undefined ? null : openInput(opener, operation, id, sealedInput);
  const personal = sealedPersonal === undefined ? null : openPersonal(opener, operation, id, sealedPersonal);
  const at = new Date(now()).toISOString();
  const consent = referenceOf(input?.["consent"]);
  await appendAudit(redis, queue, [
    { at, kind: "reveal", actor, job: id, operation: name, subject, consent, reason: why },
  ]);
  if (once && sealedPersonal !== undefined) await records.destroyPersonal(queue, id, sealedPersonal);
  return { record: parseRecord(id, fields), input: input === null ? null : clearValues(input), personal };
}

function referenceOf(consent: unknown): string | null {
  if (typeof consent !== "object" || consent === null || !("reference" in consent)) return null;
  return typeof consent.reference === "string" ? consent.reference : null;
}
