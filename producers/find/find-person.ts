import { Cluster } from "ioredis";
import type { Settings } from "../../src/config/settings.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { isRead } from "../../src/base/unread.ts";
import { onboardingKey, OnboardingStore } from "../../src/flows/onboarding-store.ts";
import { appendAudit } from "../../src/privacy/audit/outbox.ts";
import { archiveKey, type QueueName, queueOf, QUEUES, recordKey } from "../../src/queues/names.ts";
import { idsInArchive } from "../../src/records/archive.ts";
import { subjectKey } from "../../src/secrets/subject-key.ts";
import type { Actor } from "../base/actor.ts";
import type { ClientConnections } from "../base/client-connections.ts";
import { findRows } from "./find-rows.ts";
import type { FoundPart } from "./found-part.ts";
import { AADHAAR_FORM, MOBILE_FORM } from "../../src/secrets/number-forms.ts";

export interface FindOptions {
  /** Only what began since, ms since the epoch. Default: the last 7 days. */
  readonly since?: number;
  readonly signal?: AbortSignal;
  /** Told how many of how many keys have been looked at. */
  readonly onProgress?: (looked: number, of: number) => void;
}

const WEEK_MS = 7 * 86_400_000;
/** Keys asked for at once: some milliseconds of Redis' time. */
const SCAN_COUNT = 1_000;

type Opened = Pick<ClientConnections, "redis" | "records" | "dataKeys">;

/**
 * Jobs, onboardings and rows of a person, newest first. Of jobs those that have a person: sends of an OTP; of onboardings all that
 * have the number anywhere in their input; of rows the last of each operation and flow. Rows are known by an index, which batches need
 * anyway. For the others nothing has to be kept: all keys are looked through.
 * @throws SatyapanError `bad-input` for what is neither an Aadhaar nor a mobile number; it is not repeated
 */
export async function findPerson(
  opened: Opened,
  settings: Settings,
  { name: actor, now }: Actor,
  number: string,
  { since = now() - WEEK_MS, signal, onProgress }: FindOptions,
): Promise<FoundPart[]> {
  const digits = number.replaceAll(/[\s-]/g, "");
  const kind = AADHAAR_FORM.test(digits) ? "aadhaar" : MOBILE_FORM.test(digits) ? "mobile" : null;
  if (kind === null) {
    const message =
      "the number must be an Aadhaar number of 12 digits, or a mobile number of 10 without a country code";
    throw new SatyapanError(ErrorCode.BAD_INPUT, message);
  }
  const { retention } = settings;
  const subject = subjectKey(settings.subjectKey, kind, digits);
  const { redis } = opened;
  await appendAudit(redis, queueOf("eko"), [{ at: new Date(now()).toISOString(), kind: "find", actor, subject }]);
  const store = new OnboardingStore(redis, retention);
  const found = new Map<string, FoundPart>();
  const keep = (parts: readonly FoundPart[]): void => {
    // A row's own job, or onboarding, says no more than the row.
    for (const part of parts)
      if (Date.parse(part.created_at) >= since && !found.has(`row ${part.id}`))
        found.set(`${part.kind} ${part.id}`, part);
  };
  keep(await findRows(opened, settings, subject, now()));
  for await (const keys of pagesOf(redis, "*", signal, onProgress)) {
    for (const queue of QUEUES) {
      const jobs = await jobsOf(opened, queue, idsIn(keys, recordKey(queue, "")), subject);
      const onboardings = await onboardingsOf(store, queue, idsIn(keys, onboardingKey(queue, "")), subject);
      keep([...jobs, ...onboardings]);
    }
  }
  // Last, and looked for anew, because records come there from where was looked before, also into hashes that were not there then.
  for await (const keys of pagesOf(redis, "archive:*", signal)) {
    for (const queue of QUEUES) {
      const archived = keys.filter((key) => key.startsWith(archiveKey(queue, "")));
      keep(await jobsOf(opened, queue, await idsInArchive(redis, archived), subject));
    }
  }
  return [...found.values()].toSorted((one, other) => Date.parse(other.created_at) - Date.parse(one.created_at));
}

/** Keys of all queues; `what`: how they go on behind the queue's name. */
async function* pagesOf(
  redis: Opened["redis"],
  what: string,
  signal?: AbortSignal,
  onProgress?: FindOptions["onProgress"],
): AsyncGenerator<string[]> {
  const nodes = redis instanceof Cluster ? redis.nodes("master") : [redis];
  const sizes = await Promise.all(nodes.map(async (node) => await node.dbsize()));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let looked = 0;
  for (const node of nodes) {
    let cursor = "0";
    do {
      if (signal?.aborted === true) throw new SatyapanError(ErrorCode.INTERRUPTED, "the search was stopped");
      const [next, keys] = await node.scan(cursor, "MATCH", `satyapan:{*}:${what}`, "COUNT", SCAN_COUNT);
      cursor = next;
      yield keys;
      looked = Math.min(looked + SCAN_COUNT, total);
      onProgress?.(looked, total);
    } while (cursor !== "0");
  }
}

function idsIn(keys: readonly string[], begin: string): string[] {
  return keys.filter((key) => key.startsWith(begin)).map((key) => key.slice(begin.length));
}

async function jobsOf(
  { records }: Opened,
  queue: QueueName,
  ids: readonly string[],
  subject: string,
): Promise<FoundPart[]> {
  const subjects = await records.subjectsOf(queue, ids);
  const theirs = await records.getMany(
    queue,
    ids.filter((_, index) => subjects[index] === subject),
  );
  return theirs.flatMap((record) => {
    if (record === null) return [];
    const { id, operation, state, reason, created_at, updated_at } = record;
    return [{ kind: "job" as const, id, name: operation, state, reason, created_at, updated_at }];
  });
}

async function onboardingsOf(
  store: OnboardingStore,
  queue: QueueName,
  ids: readonly string[],
  subject: string,
): Promise<FoundPart[]> {
  const all = await store.getMany(queue, ids);
  return all.flatMap((onboarding) => {
    if (!isRead(onboarding) || !onboarding.subjects.includes(subject)) return [];
    const { id, flow, state, reason, createdAt, updatedAt } = onboarding;
    const times = { created_at: new Date(createdAt).toISOString(), updated_at: new Date(updatedAt).toISOString() };
    return [{ kind: "onboarding" as const, id, name: flow, state, reason, ...times }];
  });
}
