import { once } from "node:events";
import { text } from "node:stream/consumers";
import { type Command, Option } from "commander";
import { type CommandContext, ExitCode } from "../../src/command/context.ts";
import { openRedis } from "../../src/command/redis.ts";
import { loadSettings } from "../../src/command/settings.ts";
import { hmacKeySchema } from "../../src/privacy/keys/settings.ts";
import type { Settings } from "../../src/config/settings.ts";
import { parseText } from "../../src/base/text.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { AuditPlace, AuditProblem, ReplacedEntries } from "../../src/privacy/audit/check.ts";
import { AUDIT_KINDS, type AuditKind } from "../../src/privacy/audit/entry.ts";
import { auditFiles, readIdentity } from "../../src/privacy/audit/folder.ts";
import { AuditKey } from "../../src/privacy/audit/key.ts";
import { AuditLog, otherKey } from "../../src/privacy/audit/log.ts";
import { appendAudit } from "../../src/privacy/audit/outbox.ts";
import { type Verified, verifyAudit } from "../../src/privacy/audit/verify.ts";
import { ready, type RedisClient } from "../../src/redis/connection.ts";
import { redisFailure } from "../../src/redis/failure.ts";
import { refusalWord } from "../../src/redis/refusal.ts";
import { QUEUES } from "../../src/queues/names.ts";
import { auditLines, subjectOfNumber } from "../audit/audit-log.ts";
import { readNamed, unreadable } from "../files/read-input.ts";
import { parseMoment } from "./parse-argument.ts";

interface VerifyFlags {
  readonly dir?: string;
  readonly oldest?: string;
  readonly oldKey?: string;
  readonly json?: true;
}

interface ExportFlags {
  readonly dir?: string;
  readonly since: string;
  readonly until?: string;
  readonly subject?: string;
  readonly kind?: readonly AuditKind[];
}

const EXAMPLES = `
Examples:
  satyapan audit verify
  satyapan audit verify --dir /backup/audit --oldest audit-2026-01-01.ndjson
  satyapan audit export --since 30d --kind reveal > reveals.ndjson
  satyapan audit export --since 2026-11-01 --subject - < number.txt`;

const DIR = "the folder of the files; default: AUDIT_DIR, and where that is not set the log in Redis";
const OLD_KEY = "the SATYAPAN_SUBJECT_KEY from before it was changed";

export function defineAudit(command: Command, context: CommandContext): void {
  command.addHelpText("after", EXAMPLES);
  command
    .command("verify")
    .description("find altered, removed, inserted and swapped entries, missing files and a missing end")
    .option("--dir <folder>", DIR)
    .option("--oldest <file>", "the oldest file that is meant to be there, where older ones were removed on purpose")
    .option("--old-key <@file>", OLD_KEY)
    .option("--json", "print one JSON document")
    .action(async (flags: VerifyFlags) => await verify(context, flags));
  command
    .command("export")
    .description("print entries as NDJSON, as they stand in the log")
    .requiredOption("--since <time>", "30d (ago), 2026-01-15, 2026-01-15T10:00:00+05:30")
    .option("--until <time>", "up to, not including")
    .option("--subject <source>", "only about this person: a number from `-` (standard input) or @FILE, never kept")
    .addOption(new Option("--kind <kinds...>", "only these").choices(AUDIT_KINDS))
    .option("--dir <folder>", DIR)
    .action(async (flags: ExportFlags) => await exportEntries(context, flags));
  command
    .command("rekey")
    .description("after SATYAPAN_SUBJECT_KEY was changed: go on with the new key")
    .requiredOption("--old-key <@file>", OLD_KEY)
    .action(async ({ oldKey }: { readonly oldKey: string }) => await rekey(context, oldKey));
}

async function verify(context: CommandContext, flags: VerifyFlags): Promise<void> {
  const settings = loadSettings(context);
  const dir = await folderOf(flags, settings);
  const oldKeys = flags.oldKey === undefined ? [] : [readOldKey(context, flags.oldKey)];
  const keys = [new AuditKey(settings.subjectKey), ...oldKeys];
  const found = await withLog(context, settings, dir !== null, async (log) => {
    return await verifyAudit({ keys, dir, log, oldest: flags.oldest });
  });
  if (found.problems.length > 0) context.exit(ExitCode.NOT_SUCCEEDED);
  const intact = found.problems.length === 0;
  context.stdout.write(flags.json ? `${JSON.stringify({ intact, ...found })}\n` : describe(found));
}

function describe({ entries, first, last, problems, replaced, notes }: Verified): string {
  const range = first === null || last === null ? "" : ` (${first} to ${last})`;
  const verdict = problems.length === 0 ? "intact" : `${problems.length} ${problems.length === 1 ? "place" : "places"}`;
  const count = `${entries} ${entries === 1 ? "entry" : "entries"}${range}, ${verdict}`;
  const all = [...(replaced === null ? [] : [describeReplaced(replaced)]), ...notes];
  return `${[...problems.map(placeOf), ...all.map((note) => `note: ${note}`), count].join("\n")}\n`;
}

function describeReplaced({ count, first, last }: ReplacedEntries): string {
  const where = ({ seq, file, line, source }: AuditPlace): string => `entry ${seq} (${file}, line ${line}; ${source})`;
  const places = count === 1 ? where(first) : `the first ${where(first)}, the last ${where(last)}`;
  const what =
    count === 1
      ? "1 entry could not be read when it was chained, and only its digest is kept"
      : `${count} entries could not be read when they were chained, and only their digests are kept`;
  return `${what}: ${places}`;
}

/** `audit-2026-11-21.ndjson, line 17: entry 4711 was altered`. */
function placeOf({ file, line, message }: AuditProblem): string {
  return `${file}${line === 0 ? "" : `, line ${line}`}: ${message}`;
}

async function exportEntries(context: CommandContext, flags: ExportFlags): Promise<void> {
  const now = context.now();
  const since = parseMoment(flags.since, "--since", now);
  const until = flags.until === undefined ? null : parseMoment(flags.until, "--until", now);
  const settings = loadSettings(context);
  const { subject: source, kind: kinds = [] } = flags;
  const subject = source === undefined ? null : subjectOfNumber(settings.subjectKey, await readNumber(context, source));
  const dir = await folderOf(flags, settings);
  await withLog(context, settings, dir !== null, async (log) => {
    if (log === null)
      context.stderr.write("satyapan: Redis cannot be reached: what is not yet in the files is left out\n");
    for await (const line of auditLines(dir, log, { since, until, subject, kinds })) {
      if (context.signal.aborted) return;
      if (!context.stdout.write(`${line}\n`)) await once(context.stdout, "drain", { signal: context.signal });
    }
  });
}

async function rekey(context: CommandContext, source: string): Promise<void> {
  const settings = loadSettings(context);
  const [oldKey, newKey] = [readOldKey(context, source), new AuditKey(settings.subjectKey)];
  await withLog(context, settings, false, async (log, redis) => {
    if (log === null || redis === null) return;
    if (!(await log.rekey(oldKey.id, newKey.id))) throw otherKey((await log.head()).keyId, oldKey.id);
    const at = new Date(context.now()).toISOString();
    const [queue] = QUEUES;
    if (queue !== undefined)
      await appendAudit(redis, queue, [{ at, kind: "key", actor: context.actor, event: "audit", key: newKey.id }]);
    context.stdout.write(
      `the audit log goes on with the key ${newKey.id}; keep the old one to verify what is before\n`,
    );
  });
}

/** Null: only the log in Redis. One that is named must be an audit folder: of a misspelt one nothing would be looked at. */
async function folderOf(flags: { readonly dir?: string }, settings: Settings): Promise<string | null> {
  const dir = flags.dir ?? settings.audit.dir;
  if (dir === null) return null;
  const files = await auditFiles(dir).catch((cause: unknown) => {
    throw unreadable(dir, cause);
  });
  if (flags.dir === undefined || files.length > 0 || (await readIdentity(dir)) !== null) return dir;
  const message = `--dir: there is no file of the audit log, such as audit-2026-01-15.ndjson, in ${dir}`;
  throw new SatyapanError(ErrorCode.BAD_FILE, message);
}

/** Null where Redis is away and `mayDoWithout`. */
async function withLog<T>(
  context: CommandContext,
  settings: Settings,
  mayDoWithout: boolean,
  work: (log: AuditLog | null, redis: RedisClient | null) => Promise<T>,
): Promise<T> {
  const access = await openRedis(context, settings);
  try {
    const redis = access.connect("client");
    try {
      await ready(redis);
    } catch (error) {
      if (!mayDoWithout || !(error instanceof SatyapanError)) throw error;
      return await work(null, null);
    }
    try {
      return await work(new AuditLog(redis), redis);
    } catch (error) {
      throw refusalWord(error) === null ? error : await redisFailure(error, redis);
    }
  } finally {
    await access.close();
  }
}

function readOldKey({ readFile }: CommandContext, source: string): AuditKey {
  if (!source.startsWith("@")) throw notFromFile("--old-key", "@FILE");
  const key = readNamed(source.slice(1), readFile).trim();
  return new AuditKey(parseText(hmacKeySchema, key, "--old-key", ErrorCode.BAD_INPUT));
}

async function readNumber({ stdin, readFile }: CommandContext, source: string): Promise<string> {
  if (source === "-") return await text(stdin);
  if (source.startsWith("@")) return readNamed(source.slice(1), readFile);
  throw notFromFile("--subject", "- (standard input) or @FILE");
}

function notFromFile(name: string, how: string): SatyapanError {
  const why = "on the command line, the shell's history and everybody's `ps` would have it";
  return new SatyapanError(ErrorCode.BAD_USAGE, `${name} must be ${how}: ${why}`);
}
