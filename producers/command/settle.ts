import { Argument, type Command } from "commander";
import type { CommandContext } from "../../src/command/context.ts";
import { formatRecord } from "../report/format-record.ts";
import { checkSettling, SETTLE_DECISIONS, type SettleDecision } from "../jobs/settle.ts";
import { openClient } from "./open.ts";

const DECISIONS = `
Decisions:
  succeeded  the provider did it: ask them by the attempt's client_ref_id
  rejected   it did not happen, and shall not
  resend     make one more attempt, after what is left of the person's cooldown`;

export function defineSettle(command: Command, context: CommandContext): void {
  command
    .argument("<id>", "the job's id")
    .addArgument(new Argument("<decision>").choices(SETTLE_DECISIONS))
    .requiredOption("--reason <text>", "why; kept with the record in clear, so nothing personal")
    .option("--json", "print one JSON document")
    .addHelpText("after", DECISIONS)
    .action(async (id: string, decision: SettleDecision, flags: { readonly reason: string; readonly json?: true }) => {
      checkSettling(decision, flags);
      await using client = openClient(context);
      const record = await client.settle(id, decision, { reason: flags.reason });
      context.stdout.write(flags.json ? `${JSON.stringify(record)}\n` : formatRecord(record));
    });
}
