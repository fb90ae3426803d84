import type { RedisClient } from "../../redis/connection.ts";
import { queuePrefix, type QueueName } from "../../queues/names.ts";
import { LuaPart } from "../../redis/lua-source.ts";
import { AuditEntry, auditText } from "./entry.ts";

/**
 * Entries that are not yet in the log: a stream per queue, in its hash slot, so that the journal's steps append to it in
 * the very same atomic step. The chain takes them from there (`AuditChain`).
 */
export function outboxKey(queue: QueueName): string {
  return `${queuePrefix(queue)}audit`;
}

/** For the journal's scripts. */
export const AUDIT = new LuaPart(new URL("outbox.lua", import.meta.url));

/**
 * Entries of what no script of the journal does (a reveal, a key, a quota); what has no queue goes to the first one.
 * They are in Redis when this resolves.
 * @throws ZodError for an entry that must not be written; nothing is written then
 */
export async function appendAudit(
  redis: RedisClient,
  queue: QueueName,
  entries: readonly [AuditEntry, ...AuditEntry[]],
): Promise<void> {
  const texts = entries.map((entry) => auditText(AuditEntry.parse(entry)));
  const pipeline = redis.pipeline();
  for (const text of texts) pipeline.xadd(outboxKey(queue), "*", "e", text);
  for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
}
