import { Cluster } from "ioredis";
import type { Settings } from "../../src/config/settings.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { onboardingKey, OnboardingStore } from "../../src/flows/onboarding-store.ts";
import { appendAudit } from "../../src/privacy/audit/outbox.ts";
import { type QueueName, queueOf, QUEUES, recordKey } from "../../src/queues/names.ts";
import { parseRecord } from "../../src/records/parse-record.ts";
import { unpackJob } from "../../src/records/stored-job.ts";
import { subjectKey } from "../../src/secrets/subject-key.ts";
import type { Actor } from "../base/actor.ts";
import type { ClientConnections } from "../base/client-connections.ts";

export interface FindOptions {
  /** Only what began since, ms since the epoch. Default: the last 7 days. */
  readonly since?: number;
  readonly signal?: AbortSignal;
  /** Told how many of how many keys have been looked at. */
  readonly onProgress?: (looked: number, of: number) => void;
}

/** A job or an onboarding of the person. */
export interface FoundPart {
  readonly kind: "job" | "onboarding";
  readonly id: string;
  /** The operation, or the flow. */
  readonly name: string;
  readonly state: string;
  readonly reason: string | null;
  /** ISO 8601, UTC. */
  readonly created_at: string;
  readonly updated_at: string;
}

const WEEK_MS = 7 * 86_400_000;
/** Keys asked for at once: some milliseconds of Redis' time. */
const SCAN_COUNT = 1_000;

type Opened = Pick<ClientConnections, "redis" | "records">;

/**
 * Jobs and onboardings of a person, newest first. Of jobs those that have a person: sends of an OTP; of onboardings all that
 * have the number anywhere in their input. Nothing has to be kept for it: all keys are looked through.
 * @throws SatyapanError `bad-input` for what is neither an Aadhaar nor a mobile number; it is not repeated
 */
export async function findPerson(
  opened: Opened,
  { subjectKey: key, retention }: Settings,
  { name: actor, now }: Actor,
  number: string,
  { since = now() - WEEK_MS, signal, onProgress }: FindOptions,
): Promise<FoundPart[]> {
  const digits = number.replaceAll(/[\s-]/g, "");
  const kind = /^[2-9]\d{11}$/.test(digits) ? "aadhaar" : /^[6-9]\d{9}$/.test(digits) ? "mobile" : null;
  if (kind === null) {
    const message =
      "the number must be an Aadhaar number of 12 digits, or a mobile number of 10 without a country code";
    throw new SatyapanError(ErrorCode.BAD_INPUT, message);
  }
  const subject = subjectKey(key, kind, digits);
  const { redis } = opened;
  await appendAudit(redis, queueOf("eko"), [{ at: new Date(now()).toISOString(), kind: "find", actor, subject }]);
  const store = new OnboardingStore(redis, retention);
  const found = new Map<string, FoundPart>();
  for await (const keys of pagesOf(redis, signal, onProgress)) {
    for (const queue of QUEUES) {
      const jobs = await jobsOf(opened, queue, idsIn(keys, recordKey(queue, "")), subject);
      const onboardings = await onboardingsOf(store, queue, idsIn(keys, onboardingKey(queue, "")), subject);
      for (const part of [...jobs, ...onboardings]) {
        if (Date.parse(part.created_at) >= since) found.set(`${part.kind} ${part.id}`, part);
      }
    }
  }
  return [...found.values()].toSorted((one, other) => Date.parse(other.created_at) - Date.parse(one.created_at));
}

async function* pagesOf(
  redis: Opened["redis"],
  signal: AbortSignal | undefined,
  onProgress: FindOptions["onProgress"],
): AsyncGenerator<string[]> {
  const nodes = redis instanceof Cluster ? redis.nodes("master") : [redis];
  const sizes = await Promise.all(nodes.map(async (node) => await node.dbsize()));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let looked = 0;
  for (const node of nodes) {
    let cursor = "0";
    do {
      if (signal?.aborted === true) throw new SatyapanError(ErrorCode.INTERRUPTED, "the search was stopped");
      const [next, keys] = await node.scan(cursor, "MATCH", "satyapan:{*}:*", "COUNT", SCAN_COUNT);
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
  const all = await records.fieldsOfMany(queue, ids);
  return all.flatMap((fields, index) => {
    if (fields === null || unpackJob(fields["job"] ?? "").subject !== subject) return [];
    const { id, operation, state, reason, created_at, updated_at } = parseRecord(ids[index] ?? "", fields);
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
    if (onboarding?.subjects.includes(subject) !== true) return [];
    const { id, flow, state, reason, createdAt, updatedAt } = onboarding;
    const times = { created_at: new Date(createdAt).toISOString(), updated_at: new Date(updatedAt).toISOString() };
    return [{ kind: "onboarding" as const, id, name: flow, state, reason, ...times }];
  });
}
