import type { Command } from "commander";
import type { CommandContext } from "../../src/command/context.ts";
import { checkReason } from "../base/actor.ts";
import { formatRecord } from "../report/format-record.ts";
import { openClient } from "./open.ts";
import { toldWhatItIs } from "./told-id.ts";

interface Flags {
  readonly reason?: string;
  readonly json?: true;
}

const LIMITS = `
Only a job that backs off after a failed attempt: nothing of it happened, and only its own wait is cut short. A cooldown, a 409's
wait, a hold, the breaker, the quota and its deadline hold as ever; \`satyapan explain ID\` says what a job waits for.`;

export function definePromote(command: Command, context: CommandContext): void {
  command
    .argument("<id>", "the job's id")
    .option("--reason <text>", "why; kept with the record in clear, so nothing personal")
    .option("--json", "print one JSON document")
    .addHelpText("after", LIMITS)
    .action(async (id: string, { reason, json }: Flags) => {
      if (reason !== undefined) checkReason(reason);
      await using client = openClient(context);
      const promote = async () => await client.promote(id, reason === undefined ? {} : { reason });
      const record = await toldWhatItIs(client, id, promote);
      context.stdout.write(json ? `${JSON.stringify(record)}\n` : formatRecord(record));
    });
}
