import type { Command } from "commander";
import type { CommandContext } from "../../src/command/context.ts";
import type { JobRecord } from "../../src/records/record.ts";
import { formatTable } from "../report/table.ts";
import { addJobFilters, addLimit, jobFilter, type JobListFlags, printJobs } from "./job-list.ts";
import { openClient } from "./open.ts";

interface Flags extends JobListFlags {
  readonly reason?: string;
}

const EXAMPLES = `
Examples:
  satyapan unknown list --since 2h
  satyapan unknown list --operation eko.mobile-otp --reason timeout --json
  satyapan settle ID rejected --all-like --reason "the provider lost them, ticket 17" --dry-run

Ask the provider by the client_ref_id of the last attempt what became of a call, then decide with \`satyapan settle\`.`;

export function defineUnknown(command: Command, context: CommandContext): void {
  command.addHelpText("after", EXAMPLES);
  addLimit(addJobFilters(command.command("list"), "ended"))
    .description("list them, oldest first")
    .option("--reason <text>", "only those whose reason has this in it")
    .action(async (flags: Flags) => {
      const { reason } = flags;
      const filter = { ...jobFilter(flags, context.now()), ...(reason === undefined ? {} : { reason }) };
      await using client = openClient(context);
      await printJobs(context, "unknown", client.unknown.list(filter), flags, table);
    });
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
