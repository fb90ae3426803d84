import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import { AuditChain } from "../../src/privacy/audit/chain.ts";
import type { AuditEntry } from "../../src/privacy/audit/entry.ts";
import { AuditKey } from "../../src/privacy/audit/key.ts";
import { AuditLog, LOG_KEY } from "../../src/privacy/audit/log.ts";
import { appendAudit } from "../../src/privacy/audit/outbox.ts";
import { Secret } from "../../src/secrets/secret.ts";
import { QUEUES, queueOf } from "../../src/queues/names.ts";
import { startTestRedis, type TestRedis } from "./redis.ts";

/** An entry as a worker writes it; `n` makes it another one. */
export function callEntry(n: number): AuditEntry {
  return {
    at: "2026-11-21T10:00:00.000Z",
    kind: "call",
    actor: "worker",
    job: `job-${n}`,
    operation: "eko.mobile-otp",
    subject: null,
    consent: null,
    attempt: 1,
    client_ref_id: `ref-${n}`,
    transaction: null,
    outcome: "succeeded",
  };
}

export function testSubjectKey(): Secret {
  return new Secret(randomBytes(32).toString("base64"));
}

export interface AuditBundle extends AsyncDisposable {
  readonly redis: TestRedis;
  readonly client: Redis;
  readonly subjectKey: Secret;
  readonly key: AuditKey;
  readonly chain: AuditChain;
  readonly log: AuditLog;
  /** Puts `count` calls into the first queue's outbox, numbered from `from`. */
  readonly append: (count: number, from?: number) => Promise<void>;
  /** Chains all that is there. */
  readonly chainAll: () => Promise<void>;
  /** Every line of the log. */
  readonly lines: () => Promise<string[]>;
}

/** Changes lines of the log in Redis (null: removes them), as an attacker would who may write to it. */
export async function rewriteLog(client: Redis, change: (line: string, seq: number) => string | null): Promise<void> {
  const batches = await client.xrange(LOG_KEY, "-", "+");
  await client.del(LOG_KEY);
  for (const [id, [, text = ""]] of batches) {
    const lines = text.split("\n").flatMap((line) => change(line, Number(/^\{"seq":(\d+)/.exec(line)?.[1])) ?? []);
    await client.xadd(LOG_KEY, id, "l", lines.join("\n"), "n", lines.length);
  }
}

/** A Redis of the test's own, and all that works on its audit log. */
export async function startAuditBundle(): Promise<AuditBundle> {
  const redis = await startTestRedis();
  const client = redis.client();
  const subjectKey = testSubjectKey();
  const key = new AuditKey(subjectKey);
  const chain = new AuditChain({ redis: client, key, queues: QUEUES });
  const queue = queueOf("eko");
  return {
    ...{ redis, client, subjectKey, key, chain },
    log: new AuditLog(client),
    append: async (count, from = 1) => {
      const [first, ...others] = Array.from({ length: count }, (_, index) => callEntry(from + index));
      if (first !== undefined) await appendAudit(client, queue, [first, ...others]);
    },
    chainAll: async () => {
      while ((await chain.step()) === "more");
    },
    lines: async () => (await client.xrange(LOG_KEY, "-", "+")).flatMap(([, fields]) => (fields[1] ?? "").split("\n")),
    [Symbol.asyncDispose]: async () => await redis.stop(),
  };
}
