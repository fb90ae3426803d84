import type { Command } from "commander";
import type { CommandContext } from "../../src/command/context.ts";
import { formatQuota } from "../../src/limits/parse-quota.ts";
import type { Quota } from "../../src/limits/quota.ts";
import type { ProviderName } from "../../src/base/provider-name.ts";
import { formatQuotas, gateJson } from "../report/format-gate.ts";
import { openClient } from "./open.ts";
import { oneOrAll, providerArgument, readGates } from "./provider-argument.ts";

interface JsonFlag {
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  satyapan quota set deepvue 1/1s,30/1m,1000/1d   all three at once
  satyapan quota set eko 0                        hold every call
  satyapan quota reset eko                        back to the workers' EKO_QUOTA`;

export function defineQuota(command: Command, context: CommandContext): void {
  command.addHelpText("after", EXAMPLES);
  command
    .command("show")
    .description("show the windows in force and how much of each is used now")
    .addArgument(providerArgument("[provider]"))
    .option("--json", "print one JSON document")
    .action(async (provider: ProviderName | undefined, flags: JsonFlag) => {
      await using client = openClient(context);
      const gates = await readGates(client, provider);
      context.stdout.write(flags.json ? oneOrAll(provider, gates.map(gateJson)) : formatQuotas(gates));
    });
  command
    .command("set")
    .description("change a provider's quota in all running workers, until it is reset; 0 holds every call")
    .addArgument(providerArgument("<provider>"))
    .argument("<windows>", "calls/duration, all of which hold at once: 1/1s,30/1m")
    .option("--json", "print one JSON document")
    .action(async (provider: ProviderName, windows: string, flags: JsonFlag) => {
      await using client = openClient(context);
      const set = await client.gates.setQuota(provider, windows);
      const [gate] = await readGates(client, provider);
      const said = `${provider}: ${describe(set)}, in all workers, until \`satyapan quota reset ${provider}\`\n`;
      context.stdout.write(flags.json && gate ? oneOrAll(provider, [gateJson(gate)]) : said);
    });
  command
    .command("reset")
    .description("go back to the quota of the workers' settings")
    .addArgument(providerArgument("<provider>"))
    .option("--json", "print one JSON document")
    .action(async (provider: ProviderName, flags: JsonFlag) => {
      await using client = openClient(context);
      const quotaOfSettings = await client.gates.resetQuota(provider);
      const [gate] = await readGates(client, provider);
      const said =
        quotaOfSettings.length === 0
          ? `${provider}: the next worker that starts sets its quota\n`
          : `${provider}: ${describe(quotaOfSettings)}, as in the workers' settings\n`;
      context.stdout.write(flags.json && gate ? oneOrAll(provider, [gateJson(gate)]) : said);
    });
}

function describe(quota: Quota): string {
  const text = formatQuota(quota);
  return quota.some(({ max }) => max === 0) ? `quota ${text}, which holds every call` : `quota ${text}`;
}
