import type { Command } from "commander";
import type { CommandContext } from "../../src/command/context.ts";
import { findOperation } from "../../src/operations/catalogue.ts";
import type { JobRecord } from "../../src/records/record.ts";
import { parseLimit, parseSince } from "./parse-argument.ts";

/** What is asked of jobs that ended the same way: `failed`, `unknown`. */
export interface JobFilterFlags {
  readonly operation?: string;
  readonly since?: string;
  readonly json?: true;
}

export interface JobListFlags extends JobFilterFlags {
  readonly limit?: string;
}

const DEFAULT_LIMIT = 100;

/** `ended`: how those are called that are looked for by their time. */
export function addJobFilters(command: Command, ended: string): Command {
  return command
    .option("--operation <name>", "only of this operation")
    .option("--since <time>", `only those that ${ended} since: 2h (ago), 2026-01-15, 2026-01-15T10:00:00+05:30`)
    .option("--json", "print one JSON document");
}

export function addLimit(command: Command): Command {
  return command.option("--limit <count>", `show at most so many; default: ${DEFAULT_LIMIT}, with --json all`);
}

/** Throws SatyapanError `bad-usage` or `unknown-operation`. */
export function jobFilter(
  { operation, since }: JobFilterFlags,
  now: number,
): { readonly operation?: string; readonly since?: number } {
  if (operation !== undefined) findOperation(operation);
  const from = parseSince(since, now);
  return { ...(operation === undefined ? {} : { operation }), ...(from === undefined ? {} : { since: from }) };
}

/** Prints some of the jobs, in a table or as JSON, and how many there are. `which`: what they are, in one word. */
export async function printJobs(
  { stdout, signal }: CommandContext,
  which: string,
  records: AsyncIterable<JobRecord>,
  { limit, json }: Pick<JobListFlags, "limit" | "json">,
  table: (records: readonly JobRecord[]) => string,
): Promise<void> {
  const most = parseLimit(limit) ?? (json ? Number.POSITIVE_INFINITY : DEFAULT_LIMIT);
  const shown: JobRecord[] = [];
  let count = 0;
  for await (const record of records) {
    count += 1;
    if (count <= most) shown.push(record);
    else if (json || signal.aborted) break;
  }
  if (json) {
    stdout.write(`${JSON.stringify(shown)}\n`);
    return;
  }
  const more = count > shown.length ? `; the first ${shown.length} are shown, see --limit and --json` : "";
  const said = count === 0 ? `no ${which} job\n` : `${count} ${which} ${jobsWord(count)}${more}\n`;
  stdout.write(shown.length === 0 ? said : `${table(shown)}\n${said}`);
}

export function jobsWord(count: number): string {
  return count === 1 ? "job" : "jobs";
}
