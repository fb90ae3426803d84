import { Command } from "commander";
import type { CommandContext } from "../../src/command/context.ts";
import { unknownJob } from "../client.ts";
import { formatRecord } from "../report/format-record.ts";
import { openClient } from "./open-client.ts";

export function showCommand(context: CommandContext): Command {
  return new Command("show")
    .description("show a job's record")
    .argument("<id>", "the job's id")
    .option("--json", "print one JSON document")
    .action(async (id: string, flags: { readonly json?: true }) => {
      await using client = openClient(context);
      const record = await client.get(id);
      if (record === null) throw unknownJob(id);
      context.stdout.write(flags.json ? `${JSON.stringify(record)}\n` : formatRecord(record));
    });
}
