import { PROVIDERS, type ProviderName } from "../base/provider-name.ts";

/**
 * One queue per provider credential and shard, with a cluster hash tag from the first day (design §5): everything that a
 * shard's scripts touch (BullMQ's keys, records) carries the same tag, so that it lies in one slot.
 */
export type QueueName = `{${ProviderName}-${number}}`;

export function providerOf(queue: QueueName): ProviderName {
  return queue.slice(1, queue.lastIndexOf("-")) as ProviderName;
}

/** One shard for now: a single queue does about 30,000 jobs/s (facts/bullmq §0.14), far above any provider's quota. */
export function queueOf(provider: ProviderName): QueueName {
  return `{${provider}-0}`;
}

export const QUEUES: readonly QueueName[] = PROVIDERS.map(queueOf);

/** The heartbeat's, whose credential is nobody's; of the rights and the slot rules of a real one. */
export const HEARTBEAT_QUEUE: QueueName = "{eko-99}";

/** BullMQ's own key prefix; `bull:{eko-0}:…`. */
export const BULLMQ_PREFIX = "bull";

/** BullMQ shares one key space between jobs and its internals (facts/bullmq §0.9), so ids are prefixed. */
export function bullmqJobId(id: string): string {
  return `j-${id}`;
}

/** Another tool may have put something else into the queue. */
export function isOurJob(bullmqId: string): boolean {
  return bullmqId.startsWith("j-");
}

export function jobIdOf(bullmqId: string): string {
  return bullmqId.slice(2);
}

/** The number of BullMQ's own events that are kept. */
export const EVENTS_KEPT = 1_000;

/** Interactive jobs have none, which beats every priority (facts/bullmq §1.7). */
export const BULK_VERIFY_PRIORITY = 10;
export const BULK_PRIORITY = 20;

export function recordKey(queue: QueueName, id: string): string {
  return `satyapan:${queue}:job:${id}`;
}

/** Records at rest whose ids begin so (`src/records/archive.ts`). */
export function archiveKey(queue: QueueName, begin: string): string {
  return `satyapan:${queue}:archive:${begin}`;
}

/** The ids of the jobs that a ticket carries. */
export function ticketKey(queue: QueueName, name: string): string {
  return `satyapan:${queue}:ticket:${name}`;
}

/** `client_ref_id` → job id. */
export function referenceKey(queue: QueueName, clientRefId: string): string {
  return `satyapan:${queue}:ref:${clientRefId}`;
}

/** Holds the queue that a caller's own id was first used for, so that one id never names two jobs. */
export function claimKey(id: string): string {
  return `satyapan:{${id}}:claim`;
}

/** Published when jobs reach a terminal state; the message is their ids, separated by blanks. */
export const SETTLED_CHANNEL = "satyapan:settled";

/** Records by when the reaper has to look at them. */
export function dueKey(queue: QueueName): string {
  return `${queuePrefix(queue)}due`;
}

/** In front of the keys of a queue's gate: `control`, `permits`, `sent:…`, `failed`. */
export function queuePrefix(queue: QueueName): string {
  return `satyapan:${queue}:`;
}

/** In front of BullMQ's own keys of a queue. */
export function bullmqPrefix(queue: QueueName): string {
  return `${BULLMQ_PREFIX}:${queue}:`;
}
