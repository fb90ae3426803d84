import type { RedisClient } from "../../redis/connection.ts";
import { auditBroken } from "./broken.ts";
import { ChainCheck } from "./check.ts";
import type { AuditKey } from "./key.ts";
import { readLine } from "./line.ts";
import { AuditLog, headless, otherKey } from "./log.ts";

const ENTRIES = 100;

/**
 * That the end of the log in Redis is as it was written: at least its last 100 entries, the head, and the key.
 * @throws SatyapanError `audit-broken`
 */
export async function assertIntact(redis: RedisClient, key: AuditKey): Promise<void> {
  const { lines, head } = await new AuditLog(redis).tail(ENTRIES + 1);
  if (head === null) {
    if (lines.length > 0) throw headless();
    return;
  }
  if (head.keyId !== null && head.keyId !== key.id) throw otherKey(head.keyId, key.id);
  // With `ENTRIES + 1` lines the first is only what the second follows; fewer lines are all there are.
  const isWhole = lines.length <= ENTRIES;
  const before = isWhole ? head.floor : readLine(lines[0] ?? "");
  if (before === null) throw auditBroken("one of its last entries in Redis was altered");
  const check = new ChainCheck([key], before);
  for (const [index, line] of lines.entries()) if (isWhole || index > 0) check.line("Redis", index + 1, line);
  check.end();
  // Entries from before the key was changed are for `satyapan audit verify` with both keys.
  const problem = check.problems.find(({ kind }) => kind !== "other-key");
  if (problem !== undefined) throw auditBroken(`in Redis, ${problem.message}`);
  const { seq, hash } = check.last ?? head.floor;
  if (seq !== head.seq || hash !== head.hash) {
    throw auditBroken(`in Redis it ends with entry ${seq}, its head says ${head.seq}`);
  }
}
