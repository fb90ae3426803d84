import type { Command } from "commander";
import type { CommandContext } from "../../src/command/context.ts";
import { findOperation } from "../../src/operations/catalogue.ts";
import type { JobRecord } from "../../src/records/record.ts";
import { formatTable } from "../report/table.ts";
import { openClient } from "./open.ts";
import { parseLimit, parseSince } from "./parse-argument.ts";

interface Flags {
  readonly operation?: string;
  readonly since?: string;
  readonly reason?: string;
  readonly limit?: string;
  readonly json?: true;
}

const DEFAULT_LIMIT = 100;

const EXAMPLES = `
Examples:
  satyapan unknown list --since 2h
  satyapan unknown list --operation eko.mobile-otp --reason timeout --json
  satyapan settle ID rejected --all-like --reason "the provider lost them, ticket 17" --dry-run

Ask the provider by the client_ref_id of the last attempt what became of a call, then decide with \`satyapan settle\`.`;

export function defineUnknown(command: Command, context: CommandContext): void {
  command.addHelpText("after", EXAMPLES);
  command
    .command("list")
    .description("list them, oldest first")
    .option("--operation <name>", "only of this operation")
    .option("--since <time>", "only those that ended since: 2h (ago), 2026-01-15, 2026-01-15T10:00:00+05:30")
    .option("--reason <text>", "only those whose reason has this in it")
    .option("--limit <count>", `show at most so many; default: ${DEFAULT_LIMIT}, with --json all`)
    .option("--json", "print one JSON document")
    .action(async (flags: Flags) => await list(context, flags));
}

async function list(context: CommandContext, { operation, since, reason, limit, json }: Flags): Promise<void> {
  if (operation !== undefined) findOperation(operation);
  const from = parseSince(since, context.now());
  const most = parseLimit(limit) ?? (json ? Number.POSITIVE_INFINITY : DEFAULT_LIMIT);
  await using client = openClient(context);
  const shown: JobRecord[] = [];
  let count = 0;
  const filter = {
    ...(operation === undefined ? {} : { operation }),
    ...(from === undefined ? {} : { since: from }),
    ...(reason === undefined ? {} : { reason }),
  };
  for await (const record of client.unknown.list(filter)) {
    count += 1;
    if (count <= most) shown.push(record);
    else if (json || context.signal.aborted) break;
  }
  if (json) {
    context.stdout.write(`${JSON.stringify(shown)}\n`);
    return;
  }
  const more = count > shown.length ? `; the first ${shown.length} are shown, see --limit and --json` : "";
  const said = count === 0 ? "no job is unknown\n" : `${count} unknown ${count === 1 ? "job" : "jobs"}${more}\n`;
  context.stdout.write(shown.length === 0 ? said : `${table(shown)}\n${said}`);
}

function table(records: readonly JobRecord[]): string {
  const titles = ["job", "operation", "ended", "client_ref_id", "http", "reason"];
  const rows = records.map(({ id, operation, updated_at, attempts, outcome, reason }) => [
    ...[id, operation, updated_at, attempts.at(-1)?.client_ref_id ?? "-"],
    ...[outcome?.http_status ?? "-", reason ?? "-"],
  ]);
  return formatTable(
    titles.map((title) => ({ title })),
    rows,
  );
}
