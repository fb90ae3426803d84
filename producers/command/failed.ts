import { type Command, Option } from "commander";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { type CommandContext, ExitCode } from "../../src/command/context.ts";
import { OUTCOME_KINDS, type OutcomeKind } from "../../src/outcomes/outcome.ts";
import type { JobRecord } from "../../src/records/record.ts";
import { DEFAULT_RATE, type FailedFilter } from "../failed/failed-jobs.ts";
import { startProgress } from "../report/progress.ts";
import { formatTable } from "../report/table.ts";
import { canAsk, confirm } from "./confirm.ts";
import { addJobFilters, addLimit, type JobFilterFlags, jobFilter, jobsWord, printJobs } from "./job-list.ts";
import { openClient } from "./open.ts";
import { toldWhatItIs } from "./told-id.ts";
import { parseRate } from "./parse-argument.ts";

interface Flags extends JobFilterFlags {
  readonly outcome?: OutcomeKind;
  readonly dryRun?: true;
  readonly yes?: true;
}

/** A job whose call succeeded is never a failed one. */
const FAILED_OUTCOMES = OUTCOME_KINDS.filter((kind) => kind !== "succeeded");

const EXAMPLES = `
Examples:
  satyapan failed list --since 2h
  satyapan failed retry --operation eko.mobile-otp --outcome unavailable --dry-run
  satyapan failed retry --since 2h --rate 10/s
  satyapan failed retry --yes
  satyapan failed drop order-17
  satyapan failed drop --since 2h --yes

A \`retry\` of all and a \`drop\` of jobs that are not named ask first; where nobody can be asked, in a script, they want --yes.

A job that is \`unknown\` is not among them: \`satyapan settle\` decides it.`;

export function defineFailed(command: Command, context: CommandContext): void {
  command.addHelpText("after", EXAMPLES);
  addLimit(withFilters(command.command("list")))
    .description("list them, oldest first")
    .action(async (flags: Flags & { readonly limit?: string }) => {
      const filter = failedFilter([], flags, context.now());
      await using client = openClient(context);
      await printJobs(context, "failed", client.failed.list(filter), flags, table);
    });
  withFilters(command.command("retry"))
    .description("give them their attempts back and queue them again, each in its lane")
    .argument("[ids...]", "these jobs only; default: all that fit, and without any filter only with --yes")
    .option("--rate <rate>", `how fast they are queued; default ${DEFAULT_RATE}/s`)
    .option("--dry-run", "only count them")
    .option("--yes", "do not ask, where neither a job nor a filter is given")
    .action(async (ids: string[], flags: Flags & { readonly rate?: string }) => {
      const rate = flags.rate === undefined ? DEFAULT_RATE : parseRate(flags.rate);
      const filter = failedFilter(ids, flags, context.now());
      const { operation, outcome, since } = flags;
      const isAll = ids.length === 0 && [operation, outcome, since].every((given) => given === undefined);
      const ask =
        isAll && mustAsk(context, flags, "no job and no filter is given: this would retry all", "retries them");
      await change(context, "retried", filter, { ...flags, ask, rate });
    });
  withFilters(command.command("drop"))
    .description("delete their records for good")
    .argument("[ids...]", "these jobs only; default: all that fit, with --yes")
    .option("--dry-run", "only count them")
    .option("--yes", "do not ask, where no job is named")
    .action(async (ids: string[], flags: Flags) => {
      const filter = failedFilter(ids, flags, context.now());
      const why = "no job is named: this would drop all that fit";
      const ask = ids.length === 0 && mustAsk(context, flags, why, "drops them");
      await change(context, "dropped", filter, { ...flags, ask, rate: DEFAULT_RATE });
    });
}

/** Throws SatyapanError `bad-usage` where somebody has to be asked and nobody can be. */
function mustAsk(context: CommandContext, { yes, dryRun }: Flags, why: string, does: string): boolean {
  if (yes || dryRun) return false;
  if (canAsk(context)) return true;
  throw new SatyapanError(ErrorCode.BAD_USAGE, `${why}; --dry-run counts them, --yes ${does}`);
}

function withFilters(command: Command): Command {
  const outcome = new Option("--outcome <kind>", "only those whose last attempt ended so").choices(FAILED_OUTCOMES);
  return addJobFilters(command, "failed").addOption(outcome);
}

/** Throws SatyapanError `bad-usage` or `unknown-operation`. */
function failedFilter(ids: readonly string[], flags: Flags, now: number): FailedFilter {
  const { outcome } = flags;
  return { ids, ...jobFilter(flags, now), ...(outcome === undefined ? {} : { outcome }) };
}

async function change(
  context: CommandContext,
  what: "retried" | "dropped",
  filter: FailedFilter,
  { dryRun, json, ask, rate }: Flags & { readonly ask: boolean; readonly rate: number },
): Promise<void> {
  const { stdout, stderr, signal } = context;
  await using client = openClient(context);
  const say = (count: number, text: string): void =>
    void stdout.write(json ? `${JSON.stringify({ [what]: dryRun ? 0 : count, matching: count })}\n` : `${text}\n`);
  const [first = "", ...others] = filter.ids ?? [];
  const counted = async (): Promise<number> => await client.failed.count(filter);
  const found = others.length === 0 ? await toldWhatItIs(client, first, counted) : await counted();
  if (dryRun || found === 0) {
    say(found, found === 0 ? "no failed job fits" : `${found} failed ${jobsWord(found)} would be ${what}`);
    return;
  }
  if (ask) await confirm(context, `${found} failed ${jobsWord(found)} will be ${what}: go on?`);
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
      `satyapan: ${destroyed} ${jobsWord(destroyed)} left out: their input is no longer kept, or cannot be read; submit them anew\n`,
    );
    context.exit(ExitCode.NOT_SUCCEEDED);
  }
  const after = what === "retried" ? "; `satyapan show ID` says how each goes on" : "";
  say(count, `${count} ${jobsWord(count)} ${what}${after}`);
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
