import { GateControl } from "../../../src/limits/control.ts";
import type { GatePolicy } from "../../../src/limits/policy.ts";
import { NO_REPLY } from "../../../src/outcomes/outcome.ts";
import type { AuditEntry } from "../../../src/privacy/audit/entry.ts";
import { queuePrefix, type QueueName, recordKey } from "../../../src/queues/names.ts";
import type { AttemptStart } from "../../../src/records/attempt-start.ts";
import type { AttemptEnd } from "../../../src/records/attempt-end.ts";
import { createIds } from "../../../src/records/ids.ts";
import { Journal } from "../../../src/records/journal.ts";
import type { RecordedOutcome } from "../../../src/records/record.ts";
import { RecordStore } from "../../../src/records/record-store.ts";
import type { NewJob } from "../../../src/records/stored-job.ts";
import { UNLIMITED } from "../limits/gate-bundle.ts";
import type { TestRedis } from "../../support/redis.ts";

export const QUEUE: QueueName = "{eko-0}";
export const RETENTION = { recordMs: 60_000, resultMs: 30_000 };
export const POLICY: GatePolicy = {
  holdMs: 300_000,
  callMs: 30_000,
  cooldownMs: 60_000,
  otpLimit: { max: 5, ms: 1_800_000 },
  floorEvery: 9,
};
export const T0 = 1_800_000_000_000;
export const SUCCEEDED: RecordedOutcome = {
  ...{ kind: "succeeded", ...NO_REPLY },
  ...{ http_status: 200, status: 0, response_status_id: 0 },
};

/** What the audit log is told of a decision about a job. */
export function settled(job: string): AuditEntry {
  return {
    ...{ at: new Date(T0).toISOString(), kind: "settle", actor: "library:test", job, operation: "eko.mobile-otp" },
    ...{ subject: null, outcome: "rejected", reason: "the provider says so" },
  };
}

/** A job with a generated id. */
export function newJob(given: Partial<NewJob> = {}): NewJob {
  return {
    id: createIds().job(Date.now()),
    operation: "eko.mobile-otp",
    lane: "interactive",
    input: '{"plain":{},"sealed":{}}',
    digest: "digest",
    reference: "derived",
    subject: null,
    of: null,
    holdNames: [],
    createdAt: T0,
    expiresAt: null,
    consent: null,
    ...given,
  };
}

/** How a beginning ends well, at `T0 + 30`. Throws where it opened no attempt. */
export function ending(beginning: AttemptStart, given: Partial<AttemptEnd> = {}): AttemptEnd {
  if (beginning.kind !== "run") throw new Error(`no attempt was opened: ${beginning.kind}`);
  const { attemptToken, clientRefId, job } = beginning;
  return {
    attemptToken,
    attempt: { client_ref_id: clientRefId, started: T0 + 10, ended: T0 + 30, outcome: SUCCEEDED },
    state: "succeeded",
    reason: null,
    nextAt: null,
    cause: null,
    result: { tid: "42" },
    personal: null,
    used: 1,
    pendings: 0,
    resends: 0,
    health: null,
    job,
    sent: true,
    answers: null,
    retention: { lookAt: null, keepsInput: false },
    entry: null,
    lost: false,
    ...given,
  };
}

/** A job that waits until then for this cause. */
export function waiting(nextAt: number, cause: AttemptEnd["cause"], reason: string): Partial<AttemptEnd> {
  return {
    ...{ state: "waiting", nextAt, cause, reason, result: null },
    retention: { lookAt: "unchanged", keepsInput: true },
  };
}

/** A store, a journal of one process, and one job that is recorded. */
export async function setup(redis: TestRedis, given: Partial<NewJob> = {}) {
  const client = redis.client();
  const store = new RecordStore(client, RETENTION);
  const newJournal = (): Journal =>
    new Journal({ redis: client, queue: QUEUE, retentionMs: RETENTION.recordMs, policy: POLICY });
  const journal = newJournal();
  const created = newJob(given);
  const { id } = created;
  await store.create(QUEUE, [created]);
  // Attempts that other tests left open are no calls under way.
  await client.del(`${queuePrefix(QUEUE)}flights`);
  await client.hset(`${queuePrefix(QUEUE)}control`, "flow", UNLIMITED);
  await new GateControl(client).configure(QUEUE, [{ max: 1_000, ms: 1_000 }]);
  return {
    ...{ client, store, journal, newJournal, created, id },
    key: recordKey(QUEUE, id),
    begin: async (now: number, freshRef = "fresh-1") => await journal.begin(id, freshRef, now),
    finish: async (now: number, how: AttemptEnd) => (await journal.finish(id, now, how)).answer,
    ttl: async () => await client.pttl(recordKey(QUEUE, id)),
    get: async () => await store.get(QUEUE, id),
    /** One more job beside the first. */
    add: async (more: Partial<NewJob> = {}): Promise<NewJob> => {
      const job = newJob(more);
      await store.create(QUEUE, [job]);
      return job;
    },
  };
}
