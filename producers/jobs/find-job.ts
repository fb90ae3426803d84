import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { findOperation } from "../../src/operations/catalogue.ts";
import type { QueuedJob } from "../../src/queues/job-options.ts";
import { type QueueName, QUEUES } from "../../src/queues/names.ts";
import type { JobRecord } from "../../src/records/record.ts";
import { parseRecord } from "../../src/records/parse-record.ts";
import { unpackJob } from "../../src/records/stored-job.ts";
import type { RecordStore } from "../../src/records/record-store.ts";
import { ID_FORM } from "../../src/base/id-form.ts";

export interface FoundJob {
  readonly queue: QueueName;
  readonly record: JobRecord;
  /** Keyed hash of the person who is sent an OTP; null where nobody is. */
  readonly subject: string | null;
}

/** Throws SatyapanError `unknown-job`. */
export async function findJob(records: RecordStore, id: string): Promise<FoundJob> {
  const { queue, fields } = await findFields(records, id);
  return { queue, record: parseRecord(id, fields), subject: unpackJob(fields["job"] ?? "").subject };
}

/** The record's fields as they are stored. Throws SatyapanError `unknown-job`. */
export async function findFields(
  records: RecordStore,
  id: string,
): Promise<{ readonly queue: QueueName; readonly fields: Readonly<Record<string, string>> }> {
  for (const queue of QUEUES) {
    const fields = await records.fields(queue, id);
    if (fields !== null) return { queue, fields };
  }
  throw unknownJob(id);
}

/** What its queue has to know of it. Throws SatyapanError `unknown-operation` for a job of another version. */
export function asQueued({ id, lane, operation }: JobRecord): QueuedJob {
  return { id, lane, verify: findOperation(operation).step === "verify" };
}

export function unknownJob(id: string): SatyapanError {
  const shown = showable(id) ? `job ${id}` : "such job";
  return new SatyapanError(ErrorCode.UNKNOWN_JOB, `there is no ${shown}, or its record is past its retention`);
}

/** An argument in the wrong place may be a number of somebody: it is not repeated. */
function showable(id: string): boolean {
  return ID_FORM.test(id) && !/\d{10}/.test(id);
}
