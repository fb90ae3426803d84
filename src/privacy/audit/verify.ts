import { join } from "node:path";
import { type AuditProblem, ChainCheck, type ReplacedEntries } from "./check.ts";
import { auditFiles, readIdentity } from "./folder.ts";
import type { AuditKey } from "./key.ts";
import { readLine } from "./line.ts";
import { readFileLines } from "./lines.ts";
import type { AuditLog, Head } from "./log.ts";

/** Blocks at once. */
const PAGE = 20;
/** More places than these say nothing more. */
const MOST_PROBLEMS = 20;
const IN_REDIS = "Redis";

export interface VerifyOptions {
  /** Today's, and those from before it was changed. */
  readonly keys: readonly AuditKey[];
  /** Null: only the log in Redis. */
  readonly dir: string | null;
  /** Null: Redis cannot be reached, so it is not known whether the end is there. */
  readonly log: AuditLog | null;
  /** The oldest file that is meant to be there, where those before were removed on purpose. */
  readonly oldest?: string | undefined;
}

export interface Verified {
  readonly entries: number;
  /** Numbers of the first and the last one; null: there is none. */
  readonly first: number | null;
  readonly last: number | null;
  /** Empty: intact. At most 20. */
  readonly problems: readonly AuditProblem[];
  /** What was no entry when it was chained: the log is intact, but somebody wrote to an outbox. Null: nothing. */
  readonly replaced: ReplacedEntries | null;
  /** What could not be checked. */
  readonly notes: readonly string[];
}

/** Checks the files, then what of the log in Redis comes after them, and that the end is the one that Redis knows. */
export async function verifyAudit({ keys, dir, log, oldest }: VerifyOptions): Promise<Verified> {
  // First, so that what is written meanwhile does not look as if it were missing.
  const head = (await log?.head()) ?? null;
  const files = dir === null ? [] : await auditFiles(dir);
  const identity = dir === null ? null : await readIdentity(dir);
  const check = new ChainCheck(keys, files.length === 0 ? (head?.base ?? null) : null);
  const notes: string[] = [];
  if (dir !== null && files.length === 0) notes.push(`there is no file in ${dir}: only the log in Redis was looked at`);
  if (dir !== null) await checkFiles(check, dir, files, oldest, notes);
  if (log === null || head === null) {
    notes.push("Redis was not asked: a missing end would not be noticed");
  } else if (identity !== null && identity.chain !== head.chain) {
    check.report("other-log", IN_REDIS, `the log in it is another one than that of the files in ${dir}`);
  } else {
    const filed = identity === null ? undefined : head.filed.get(identity.folder);
    const last = check.last?.seq ?? 0;
    if (filed !== undefined && filed.seq > last) {
      const message = `its end is missing: entries ${last + 1} to ${filed.seq} had been written`;
      check.report("truncated", files.at(-1) ?? `${dir}`, message, last + 1);
    }
    await checkRedis(check, log, head);
  }
  check.end();
  const { entries, first, last, replaced } = check;
  const problems = check.problems.slice(0, MOST_PROBLEMS);
  return { entries, first, last: first === null ? null : (last?.seq ?? null), problems, replaced, notes };
}

async function checkFiles(
  check: ChainCheck,
  dir: string,
  files: readonly string[],
  oldest: string | undefined,
  notes: string[],
): Promise<void> {
  for (const [index, file] of files.entries()) {
    let number = 0;
    for await (const { text, isWhole } of readFileLines(join(dir, file))) {
      number += 1;
      if (!isWhole && index === files.length - 1)
        notes.push(`the last line of ${file} is not whole: it is being written, or will be again`);
      else if (!isWhole) check.report("truncated", file, "its last line is cut off", null, number);
      else if (number === 1) check.header(file, text, index === 0 && file === oldest);
      else check.line(file, number, text);
      if (check.problems.length >= MOST_PROBLEMS) return;
    }
  }
}

/** From where the files end, up to where the log ended when this began. */
async function checkRedis(check: ChainCheck, log: AuditLog, head: Head): Promise<void> {
  let id = check.lastId ?? "0";
  let number = 0;
  let isFirst = check.lastId !== null;
  for (let page = await log.after(id, PAGE); page.length > 0; page = await log.after(id, PAGE)) {
    const known = check.last?.seq ?? 0;
    for (const line of page.flatMap(({ lines }) => lines)) {
      number += 1;
      const seq = readLine(line)?.seq ?? 0;
      // A block is whole in Redis, though the files may have its beginning.
      if (!(isFirst && seq > 0 && seq <= known) && seq <= head.seq) check.line(IN_REDIS, number, line);
    }
    isFirst = false;
    id = page.at(-1)?.id ?? id;
    if ((check.last?.seq ?? 0) >= head.seq || check.problems.length >= MOST_PROBLEMS) break;
  }
  check.end();
  const { seq, hash } = check.last ?? head.base;
  if (seq < head.seq) {
    check.report("truncated", IN_REDIS, `its end is missing: it had ${head.seq} entries`, seq + 1);
  } else if (seq === head.seq && hash !== head.hash) {
    check.report("altered", IN_REDIS, `entry ${seq} is not the one that its head knows`, seq);
  } else if (seq > (await log.head()).seq) {
    const message = `it ends with entry ${head.seq}, the files with ${seq}: it was put back from an older copy`;
    check.report("truncated", IN_REDIS, message, head.seq + 1);
  }
}
