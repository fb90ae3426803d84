import type { Command } from "commander";
import type { CommandContext } from "../../src/command/context.ts";
import type { GateState } from "../../src/limits/control.ts";
import type { ProviderName } from "../../src/base/provider-name.ts";
import { formatGate, gateJson } from "../report/format-gate.ts";
import { openClient } from "./open.ts";
import { oneOrAll, providerArgument, readGates } from "./provider-argument.ts";

export function defineProvider(command: Command, context: CommandContext): void {
  command
    .command("show")
    .description("show quota use, holds, breaker and pause")
    .addArgument(providerArgument("[provider]"))
    .option("--json", "print one JSON document")
    .action(async (name: ProviderName | undefined, flags: { readonly json?: true }) => {
      await using client = openClient(context);
      const gates = await readGates(client, name);
      context.stdout.write(flags.json ? oneOrAll(name, gates.map(gateJson)) : gates.map(formatGate).join("\n"));
    });
  command
    .command("resume")
    .description(
      "lift what stops it now: a hold after a refusal, an open breaker, the pause after a 429, of its queue in BullMQ",
    )
    .addArgument(providerArgument("<provider>"))
    .option("--scope <scope>", "lift only the hold of user_code:X, initiator_id:X or operation:NAME")
    .option("--json", "print one JSON document")
    .action(async (name: ProviderName, flags: { readonly scope?: string; readonly json?: true }) => {
      await using client = openClient(context);
      const { scope = null } = flags;
      const before = await client.gates.resume(name, scope);
      const [gate] = await readGates(client, name);
      const said = `${scope ?? name} resumed: ${lifted(before, scope)}\n`;
      context.stdout.write(flags.json && gate ? oneOrAll(name, [gateJson(gate)]) : said);
    });
}

function lifted({ holds, breaker, pausedUntil, queuePause }: GateState, scope: string | null): string {
  const hold = holds.find((one) => one.scope === scope);
  if (scope !== null) return `it was held (${hold?.reason ?? "just now"}); jobs that waited for it are back in line`;
  return [
    ...(hold === undefined ? [] : [`it was held (${hold.reason})`]),
    ...(breaker === null ? [] : ["the breaker was not closed"]),
    ...(pausedUntil === null ? [] : ["it was paused after a 429"]),
    ...(queuePause === null ? [] : ["its queue was paused in BullMQ, by another tool"]),
  ].join(", ");
}
