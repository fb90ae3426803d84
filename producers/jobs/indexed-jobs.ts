import { findOperation } from "../../src/operations/catalogue.ts";
import { type QueueName, queueOf, QUEUES } from "../../src/queues/names.ts";
import { parseRecord } from "../../src/records/parse-record.ts";
import type { JobRecord } from "../../src/records/record.ts";
import { type IndexedState, StateIndex } from "../../src/records/state-index.ts";
import { unpackJob } from "../../src/records/stored-job.ts";
import type { UseRedis } from "../base/client-connections.ts";
import type { FoundJob } from "./find-job.ts";

/** What is not given does not matter. */
export interface IndexFilter {
  readonly operation?: string;
  /** In this state since then or later, ms since the epoch. */
  readonly since?: number;
}

const PAGE = 500;

/**
 * The jobs that somebody may have to decide about, oldest first in each queue; only what is there at the start: one that comes
 * back into the state comes after that. Throws SatyapanError `unknown-operation`.
 */
export async function* indexedJobs(
  use: UseRedis,
  state: IndexedState,
  filter: IndexFilter,
): AsyncGenerator<FoundJob, void, void> {
  const named = filter.operation === undefined ? null : findOperation(filter.operation);
  for (const queue of named === null ? QUEUES : [queueOf(named.provider)]) {
    for await (const found of ofQueue(use, state, queue, filter.since ?? 0)) {
      if (fits(found.record, filter)) yield found;
    }
  }
}

async function* ofQueue(
  use: UseRedis,
  state: IndexedState,
  queue: QueueName,
  since: number,
): AsyncGenerator<FoundJob, void, void> {
  const until = await use(async ({ redis }) => await new StateIndex(redis, state).newest(queue));
  if (until === null) return;
  let from = since;
  // Entries of the instant `from`, where the next page begins: others leave the index meanwhile, so a page has no fixed offset.
  let seen = new Set<string>();
  for (;;) {
    const page = await readPage(use, state, queue, from, until, PAGE + seen.size);
    const fresh = page.entries.filter(({ id }) => !seen.has(id));
    const last = fresh.at(-1);
    if (last === undefined) return;
    const ofLast = fresh.filter(({ at }) => at === last.at).map(({ id }) => id);
    seen = new Set(last.at === from ? [...seen, ...ofLast] : ofLast);
    from = last.at;
    for (const { id } of fresh) {
      const record = page.records.get(id);
      if (record?.state === state) yield { queue, record, subject: page.subjects.get(id) ?? null };
    }
  }
}

async function readPage(use: UseRedis, state: IndexedState, queue: QueueName, from: number, to: number, limit: number) {
  return await use(async ({ redis, records }) => {
    const index = new StateIndex(redis, state);
    const entries = await index.page(queue, from, to, limit);
    const ids = entries.map(({ id }) => id);
    const stored = await records.fieldsOfMany(queue, ids);
    const found = new Map<string, JobRecord>();
    const subjects = new Map<string, string | null>();
    for (const [at, id] of ids.entries()) {
      const fields = stored[at] ?? null;
      if (fields === null) continue;
      found.set(id, parseRecord(id, fields));
      subjects.set(id, unpackJob(fields["job"] ?? "").subject);
    }
    // Past their retention.
    const gone = ids.filter((id) => !found.has(id));
    await index.forget(queue, gone);
    return { entries, records: found, subjects };
  });
}

function fits({ operation, updated_at }: JobRecord, filter: IndexFilter): boolean {
  if (filter.operation !== undefined && operation !== filter.operation) return false;
  return filter.since === undefined || Date.parse(updated_at) >= filter.since;
}
