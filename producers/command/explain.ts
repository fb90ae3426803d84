import type { Command } from "commander";
import type { CommandContext } from "../../src/command/context.ts";
import type { Client } from "../client.ts";
import type { Explanation } from "../jobs/explanation.ts";
import { unknownJob } from "../jobs/find-job.ts";
import { openClient } from "./open.ts";
import { toldWhatItIs } from "./told-id.ts";

export function defineExplain(command: Command, context: CommandContext): void {
  command
    .argument("<id>", "the job's id")
    .option("--json", "print one JSON document")
    .action(async (id: string, flags: { readonly json?: true }) => {
      await using client = openClient(context);
      const explanation = await toldWhatItIs(client, id, async () => await explained(client, id));
      context.stdout.write(flags.json ? `${JSON.stringify(explanation)}\n` : formatExplanation(explanation));
    });
}

async function explained(client: Client, id: string): Promise<Explanation> {
  const explanation = await client.explain(id);
  if (explanation === null) throw unknownJob(id);
  return explanation;
}

function formatExplanation({ id, state, cause, since, next_attempt_at, estimated, text }: Explanation): string {
  const lines = [
    ["job", id],
    ["state", state],
    ["cause", cause],
    ["since", since],
    [estimated ? "tried about" : "tried at", next_attempt_at],
  ].flatMap(([name, value]) => (value === null ? [] : [`${(name ?? "").padEnd("tried about".length)}  ${value}\n`]));
  return `${lines.join("")}\n${text}\n`;
}
