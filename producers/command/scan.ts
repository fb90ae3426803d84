import { text } from "node:stream/consumers";
import { type Command, Option } from "commander";
import { type CommandContext, ExitCode } from "../../src/command/context.ts";
import { openRedis } from "../../src/command/redis.ts";
import { loadSettings } from "../../src/command/settings.ts";
import type { Settings } from "../../src/config/settings.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { Finding } from "../../src/secrets/found.ts";
import { type Needle, Needles } from "../../src/privacy/scan/needles.ts";
import { type RedisFiles, redisFiles } from "../../src/privacy/scan/redis-files.ts";
import { FileScan } from "../../src/privacy/scan/scan-files.ts";
import { scanPage } from "../../src/privacy/scan/scan-page.ts";
import { type RedisCounts, RedisScan, type RedisScanOptions } from "../../src/privacy/scan/scan-redis.ts";
import { Scanner } from "../../src/privacy/scan/scanner.ts";
import { secretsOf } from "../../src/privacy/scan/secret-needles.ts";
import { ready } from "../../src/redis/connection.ts";
import { formatScan, type ScanReport } from "../report/format-scan.ts";
import { redisFailure } from "../../src/redis/failure.ts";
import { redisSettingsOf } from "../../src/redis/pair.ts";
import { parseRate } from "./parse-argument.ts";

interface ScanFlags {
  readonly redis: boolean;
  readonly file?: readonly string[];
  readonly url?: readonly string[];
  readonly canary?: string;
  readonly rate?: string;
  readonly json?: true;
}

/** Keys per second: some 2 % of what a Redis does. */
const DEFAULT_RATE = 5_000;
/** More are counted, and not kept. */
const MOST_SHOWN = 1_000;

const EXAMPLES = `
Looks for Aadhaar-like numbers (12 digits that pass Verhoeff), the configured secrets and keys, and canaries, and prints
where they are, masked. Exit code 0: nothing was found; 1: something was; 3: Redis cannot be reached.

Examples:
  satyapan scan                                               Redis, and its AOF, RDB and log if it is on this machine
  satyapan scan --file /var/log/satyapan --url http://127.0.0.1:9464/metrics
  printf '%s\\n' "$PLANTED" | satyapan scan --canary -         a value that was planted: from a file or a pipe alone, so
                                                              that it is in no shell history
  satyapan scan --no-redis --file backup/                     a backup, with no Redis`;

export function defineScan(command: Command, context: CommandContext): void {
  command
    .option("--file <path...>", "also these files, and all in these folders")
    .option("--url <url...>", "also these pages: a worker's metrics")
    .option("--canary <@file|->", "also these values, one a line, from a file or from stdin")
    .option("--rate <rate>", `how many keys are read; default ${DEFAULT_RATE}/s`)
    // Commander's own default comes before a command that is loaded late has its options.
    .addOption(new Option("--no-redis", "only what --file and --url name").default(true))
    .option("--json", "print one JSON document")
    .addHelpText("after", EXAMPLES)
    .action(async (flags: ScanFlags) => {
      const rate = flags.rate === undefined ? DEFAULT_RATE : parseRate(flags.rate);
      const urls = (flags.url ?? []).map(parseUrl);
      if (!flags.redis && urls.length === 0 && (flags.file ?? []).length === 0)
        throw new SatyapanError(ErrorCode.BAD_USAGE, "with --no-redis give --file or --url: there is nothing to scan");
      const canaries = await readCanaries(context, flags.canary);
      const settings = loadSettings(context);
      const report = await scan(context, settings, canaries, { ...flags, urls, rate });
      context.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : formatScan(report));
      if (report.found > 0 || context.signal.aborted) context.exit(ExitCode.NOT_SUCCEEDED);
    });
}

type Places = Pick<ScanFlags, "redis" | "file"> & { readonly urls: readonly URL[]; readonly rate: number };

async function scan(
  context: CommandContext,
  settings: Settings,
  canaries: readonly Needle[],
  { redis: withRedis, file: paths = [], urls, rate }: Places,
): Promise<ScanReport> {
  const needles = new Needles([...secretsOf(settings), ...canaries]);
  const scanner = new Scanner(needles);
  const findings: Finding[] = [];
  let found = 0;
  const onFinding = (finding: Finding): void => {
    found++;
    if (findings.length < MOST_SHOWN) findings.push(finding);
  };
  const files = new FileScan({ scanner, onFinding });
  const skipped = needles.tooShort.map((name) => `${name}: too short to be looked for`);
  const redis = { keys: 0, bytes: 0 };
  for (const one of withRedis ? redisSettingsOf(settings) : []) {
    const looked = await scanRedis(context, one, { scanner, onFinding }, rate);
    redis.keys += looked.counts.keys;
    redis.bytes += looked.counts.bytes;
    skipped.push(...looked.skipped);
    for (const path of looked.files) await files.path(path);
  }
  for (const path of paths) await files.path(path);
  let pageBytes = 0;
  for (const url of urls) pageBytes += await scanPage(scanner, url, onFinding);
  skipped.push(...files.counts.unreadable);
  return {
    found,
    findings,
    redis: withRedis ? redis : null,
    files: { files: files.counts.files, bytes: files.counts.bytes },
    pages: { pages: urls.length, bytes: pageBytes },
    values: needles.size,
    skipped,
  };
}

interface LookedThrough {
  readonly counts: RedisCounts;
  /** Its files on this machine. */
  readonly files: readonly string[];
  readonly skipped: readonly string[];
}

async function scanRedis(
  context: CommandContext,
  settings: Settings,
  found: Pick<RedisScanOptions, "scanner" | "onFinding">,
  rate: number,
): Promise<LookedThrough> {
  await using opened = new AsyncDisposableStack();
  const access = opened.adopt(await openRedis(context, settings), async (one) => await one.close());
  const redis = access.connect("client");
  await ready(redis);
  const scanning = new RedisScan({ redis, ...found });
  let files: RedisFiles;
  try {
    await scanning.all(rate, context.signal);
    files = await redisFiles(redis, access.target);
  } catch (error) {
    throw await redisFailure(error, redis);
  }
  const { counts } = scanning;
  const reasons = Object.entries(counts.unreadable).map(
    ([reason, count]) => `${count} keys or parts of them: ${reason}`,
  );
  if (context.signal.aborted) reasons.push("what comes after it was stopped");
  if (files.kind === "elsewhere") reasons.push(`its files: ${files.reason}`);
  const skipped = reasons.map((reason) => `Redis at ${access.describe()}, ${reason}`);
  return { counts, files: files.kind === "here" ? files.paths : [], skipped };
}

/** Never from an argument, which `ps` and the shell's history show. */
async function readCanaries({ stdin, readFile }: CommandContext, from: string | undefined): Promise<Needle[]> {
  if (from === undefined) return [];
  if (from !== "-" && !from.startsWith("@"))
    throw new SatyapanError(
      ErrorCode.BAD_USAGE,
      "--canary takes @FILE or -, never the value itself: others could read it",
    );
  const content = from === "-" ? await text(stdin) : fileText(readFile, from.slice(1));
  const lines = content.split(/\r?\n/).filter((line) => line.trim() !== "");
  if (lines.length === 0) throw new SatyapanError(ErrorCode.BAD_INPUT, "--canary: there is no value in it");
  return lines.map((value, index) => ({ kind: "canary", name: `canary ${index + 1}`, value }));
}

function fileText(readFile: CommandContext["readFile"], path: string): string {
  try {
    return readFile(path);
  } catch (cause) {
    throw new SatyapanError(ErrorCode.BAD_FILE, `--canary: ${path} cannot be read`, { cause });
  }
}

function parseUrl(given: string): URL {
  const url = URL.parse(given);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new SatyapanError(
    ErrorCode.BAD_USAGE,
    "--url must be http://… or https://…, like http://127.0.0.1:9464/metrics",
  );
}
