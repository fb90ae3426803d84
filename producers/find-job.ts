import { findOperation } from "../src/operations/catalogue.ts";
import type { QueuedJob } from "../src/queues/job-options.ts";
import { type QueueName, QUEUES } from "../src/queues/names.ts";
import type { JobRecord } from "../src/records/record.ts";
import type { RecordStore } from "../src/records/record-store.ts";
import { unknownJob } from "./unknown-job.ts";

export interface FoundJob {
  readonly queue: QueueName;
  readonly record: JobRecord;
}

/** Throws SatyapanError `unknown-job`. */
export async function findJob(records: RecordStore, id: string): Promise<FoundJob> {
  for (const queue of QUEUES) {
    const record = await records.get(queue, id);
    if (record !== null) return { queue, record };
  }
  throw unknownJob(id);
}

/** What its queue has to know of it. Throws SatyapanError `unknown-operation` for a job of another version. */
export function asQueued({ id, lane, operation }: JobRecord): QueuedJob {
  return { id, lane, verify: findOperation(operation).step === "verify" };
}
