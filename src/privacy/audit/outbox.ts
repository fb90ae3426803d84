import type { RedisClient } from "../../redis/connection.ts";
import { queuePrefix, type QueueName } from "../../queues/names.ts";
import { LuaPart } from "../../redis/lua-source.ts";
import { LuaScript } from "../../redis/script.ts";
import { asideOf, OUTBOX } from "../../redis/outbox.ts";
import { refusalWord } from "../../redis/refusal.ts";
import { AuditEntry, auditText } from "./entry.ts";

/**
 * Entries that are not yet in the log: a stream per queue, in its hash slot, so that the journal's steps append to it in
 * the very same atomic step. The chain takes them from there (`AuditChain`).
 */
export function outboxKey(queue: QueueName): string {
  return `${queuePrefix(queue)}audit`;
}

/** Where the journal's steps put entries while somebody's other value stands in the outbox's place (`src/redis/outbox.lua`). */
export function asideKey(queue: QueueName): string {
  return asideOf(outboxKey(queue));
}

/** What is said of an outbox in whose place something else stands. */
export function describeForeignOutbox(key: string): string {
  return `the audit log's outbox ${key} holds something else than entries: calls go on and their entries go to ${key}:aside, but what only the audit log would know (show --reveal, keys, quota) is refused until the key has another name (RENAME)`;
}

/** Outboxes in whose place something else stands. Rejects with NOPERM for a user that may not look. */
export async function foreignOutboxes(redis: RedisClient, queues: readonly QueueName[]): Promise<string[]> {
  const keys = await Promise.all(
    queues.map(outboxKey).map(async (key) => {
      try {
        await redis.xlen(key);
        return [];
      } catch (error) {
        if (refusalWord(error) !== "WRONGTYPE") throw error;
        return [key];
      }
    }),
  );
  return keys.flat();
}

/** For the journal's scripts. */
export const AUDIT = new LuaPart(new URL("outbox.lua", import.meta.url), { needs: [OUTBOX] });

export const APPEND = new LuaScript(new URL("append.lua", import.meta.url), {
  once: true,
  row: { text: "text" },
});

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
  await APPEND.run(
    redis,
    [outboxKey(queue)],
    {},
    texts.map((text) => ({ text })),
  );
}
