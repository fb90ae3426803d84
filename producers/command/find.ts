import type { Command } from "commander";
import type { CommandContext } from "../../src/command/context.ts";
import type { FoundPart } from "../find/found-part.ts";
import { readLine } from "../files/read-input.ts";
import { formatTable } from "../report/table.ts";
import { openClient } from "./open.ts";
import { parseSince } from "./parse-argument.ts";

const HELP = `
The number comes from standard input alone, so that it is in no shell history: \`satyapan find < number.txt\`, or type it and
press Enter. It is hashed at once; the audit log keeps that somebody asked, by the hash.

Rows of batches are known by an index; for the others all records are looked through: seconds for 100,000. Of single jobs those are found that send an OTP; a verify, and the other
steps of an onboarding, by the send's or the onboarding's id; of rows the last of each operation and flow.`;

export function defineFind(command: Command, context: CommandContext): void {
  command
    .option("--since <time>", "only what began since: 2d (ago), 2026-01-15; default 7d")
    .option("--json", "print one JSON document")
    .addHelpText("after", HELP)
    .action(async (flags: { readonly since?: string; readonly json?: true }) => {
      const since = parseSince(flags.since, context.now());
      const { stdout, signal } = context;
      await using client = openClient(context);
      const number = await readLine(context, "Aadhaar or mobile number");
      const found = await client.find(number, { signal, ...(since === undefined ? {} : { since }) });
      stdout.write(flags.json ? `${JSON.stringify(found)}\n` : formatFound(found));
    });
}

function formatFound(found: readonly FoundPart[]): string {
  if (found.length === 0) return "nothing of that person in this time\n";
  const titles = ["what", "id", "operation or flow", "state", "created", "updated", "reason"];
  const rows = found.map(({ kind, id, name, state, created_at, updated_at, reason }) => [
    ...[kind, id, name, state, created_at, updated_at, reason ?? ""],
  ]);
  return formatTable(
    titles.map((title) => ({ title })),
    rows,
  );
}
