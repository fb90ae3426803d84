import type { AuditEntry } from "../../src/privacy/audit/entry.ts";
import { appendAudit } from "../../src/privacy/audit/outbox.ts";
import { queueOf } from "../../src/queues/names.ts";
import type { KeyDeps } from "./key-deps.ts";

type KeyEvent = Extract<AuditEntry, { kind: "key" }>["event"];

/** What belongs to no queue is written into the first one's outbox. */
const QUEUE = queueOf("eko");

export async function auditKey({ redis, actor, now }: KeyDeps, event: KeyEvent, key: string): Promise<void> {
  const at = new Date(now()).toISOString();
  await appendAudit(redis, QUEUE, [{ at, kind: "key", actor, event, key }]);
}

/** `what`: `batch:NAME`, `job:ID`, `older-than:30d`; `keys`: how many data keys. */
export async function auditShred({ redis, actor, now }: KeyDeps, what: string, keys: number): Promise<void> {
  const at = new Date(now()).toISOString();
  await appendAudit(redis, QUEUE, [{ at, kind: "shred", actor, what, keys }]);
}
