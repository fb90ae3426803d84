import { type Command, Option } from "commander";
import { type CommandContext, ExitCode } from "../../src/command/context.ts";
import { findOperation } from "../../src/operations/catalogue.ts";
import { OUTCOME_KINDS, type OutcomeKind } from "../../src/outcomes/outcome.ts";
import type { JobRecord } from "../../src/records/record.ts";
import { DEFAULT_RATE, type FailedFilter } from "../failed/failed-jobs.ts";
import { startProgress } from "../report/progress.ts";
import { formatTable } from "../report/table.ts";
import { openClient } from "./open.ts";
import { parseLimit, parseRate, parseSince } from "./parse-argument.ts";

interface Flags {
  readonly operation?: string;
  readonly outcome?: OutcomeKind;
  readonly since?: string;
  readonly dryRun?: true;
  readonly json?: true;
}

const DEFAULT_LIMIT = 100;

const EXAMPLES = `
Examples:
  satyapan failed list --since 2h
  satyapan failed retry --operation eko.mobile-otp --outcome unavailable --dry-run
  satyapan failed retry --since 2h --rate 10/s
  satyapan failed drop order-17

A job that is \`unknown\` is not among them: \`satyapan settle\` decides it.`;

export function defineFailed(command: Command, context: CommandContext): void {
  command.addHelpText("after", EXAMPLES);
  withFilters(command.command("list"))
    .description("list them, oldest first")
    .option("--limit <count>", `show at most so many; default: ${DEFAULT_LIMIT}, with --json all`)
    .action(async (flags: Flags & { readonly limit?: string }) => {
      await list(context, failedFilter([], flags, context.now()), parseLimit(flags.limit), flags);
    });
  withFilters(command.command("retry"))
    .description("give them their attempts back and queue them again, each in its lane")
    .argument("[ids...]", "these jobs only; default: all that fit")
    .option("--rate <rate>", `how fast they are queued; default ${DEFAULT_RATE}/s`)
    .option("--dry-run", "only count them")
    .action(async (ids: string[], flags: Flags & { readonly rate?: string }) => {
      const rate = flags.rate === undefined ? DEFAULT_RATE : parseRate(flags.rate);
      await change(context, "retried", failedFilter(ids, flags, context.now()), flags, rate);
    });
  withFilters(command.command("drop"))
    .description("delete their records for good")
    .argument("[ids...]", "these jobs only; default: all that fit")
    .option("--dry-run", "only count them")
    .action(async (ids: string[], flags: Flags) => {
      await change(context, "dropped", failedFilter(ids, flags, context.now()), flags, DEFAULT_RATE);
    });
}

function withFilters(command: Command): Command {
  return command
    .option("--operation <name>", "only of this operation")
    .addOption(new Option("--outcome <kind>", "only those whose last attempt ended so").choices(OUTCOME_KINDS))
    .option("--since <time>", "only those that failed since: 2h (ago), 2026-01-15, 2026-01-15T10:00:00+05:30")
    .option("--json", "print one JSON document");
}

/** Throws SatyapanError `bad-usage` or `unknown-operation`. */
function failedFilter(ids: readonly string[], { operation, outcome, since }: Flags, now: number): FailedFilter {
  if (operation !== undefined) findOperation(operation);
  const from = parseSince(since, now);
  return {
    ids,
    ...(operation === undefined ? {} : { operation }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(from === undefined ? {} : { since: from }),
  };
}

async function list(
  context: CommandContext,
  filter: FailedFilter,
  limit: number | null,
  { json }: Flags,
): Promise<void> {
  await using client = openClient(context);
  const most = limit ?? (json ? Number.POSITIVE_INFINITY : DEFAULT_LIMIT);
  const shown: JobRecord[] = [];
  let count = 0;
  for await (const record of client.failed.list(filter)) {
    count += 1;
    if (count <= most) shown.push(record);
    else if (json || context.signal.aborted) break;
  }
  if (json) {
    context.stdout.write(`${JSON.stringify(shown)}\n`);
    return;
  }
  const more = count > shown.length ? `; the first ${shown.length} are shown, see --limit and --json` : "";
  const said = count === 0 ? "no failed job\n" : `${count} failed ${jobs(count)}${more}\n`;
  context.stdout.write(shown.length === 0 ? said : `${table(shown)}\n${said}`);
}

async function change(
  context: CommandContext,
  what: "retried" | "dropped",
  filter: FailedFilter,
  { dryRun, json }: Flags,
  rate: number,
): Promise<void> {
  const { stdout, stderr, signal } = context;
  await using client = openClient(context);
  const say = (count: number, text: string): void =>
    void stdout.write(json ? `${JSON.stringify({ [what]: dryRun ? 0 : count, matching: count })}\n` : `${text}\n`);
  const found = await client.failed.count(filter);
  if (dryRun || found === 0) {
    say(found, found === 0 ? "no failed job fits" : `${found} failed ${jobs(found)} would be ${what}`);
    return;
  }
  const progress = startProgress(stderr, what, found);
  let count: number;
  let destroyed = 0;
  try {
    const onDone = (done: number): void => progress.update(done);
    count =
      what === "retried"
        ? await client.failed.retry(filter, { rate, signal, onDone, onDestroyed: (ids) => (destroyed += ids.length) })
        : await client.failed.drop(filter, { signal, onDone });
  } finally {
    progress.stop();
  }
  if (signal.aborted) {
    stderr.write("satyapan: stopped; the same command goes on with the others\n");
    context.exit(ExitCode.NOT_SUCCEEDED);
  }
  if (destroyed > 0) {
    stderr.write(
      `satyapan: ${destroyed} ${jobs(destroyed)} left out: their input is no longer kept, or cannot be read; submit them anew\n`,
    );
    context.exit(ExitCode.NOT_SUCCEEDED);
  }
  const after = what === "retried" ? "; `satyapan show ID` says how each goes on" : "";
  say(count, `${count} ${jobs(count)} ${what}${after}`);
}

function table(records: readonly JobRecord[]): string {
  const titles = ["job", "operation", "lane", "failed", "attempts", "outcome", "reason"];
  const rows = records.map(({ id, operation, lane, updated_at, attempts, outcome, reason }) => [
    ...[id, operation, lane, updated_at, attempts.length],
    ...[outcome?.kind ?? "-", reason ?? "-"],
  ]);
  const columns = titles.map((title) => (title === "attempts" ? ({ title, align: "right" } as const) : { title }));
  return formatTable(columns, rows);
}

function jobs(count: number): string {
  return count === 1 ? "job" : "jobs";
}
