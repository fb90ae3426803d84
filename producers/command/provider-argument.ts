import { Argument } from "commander";
import { type ProviderName, PROVIDERS } from "../../src/base/provider-name.ts";
import type { Client } from "../client.ts";
import type { ProviderGate } from "../report/format-gate.ts";

/** `<provider>`, or `[provider]`: all of them. */
export function providerArgument(flags: "<provider>" | "[provider]"): Argument {
  const all = flags === "[provider]" ? "default: all" : "";
  return new Argument(flags, all).choices(PROVIDERS);
}

export async function readGates(client: Client, provider: ProviderName | undefined): Promise<ProviderGate[]> {
  const providers = provider === undefined ? PROVIDERS : [provider];
  return await Promise.all(providers.map(async (name) => ({ provider: name, gate: await client.gates.read(name) })));
}

/** One document: of the one that was asked for, or the list of all. */
export function oneOrAll(
  provider: ProviderName | undefined,
  all: readonly Readonly<Record<string, unknown>>[],
): string {
  return `${JSON.stringify(provider === undefined ? all : all[0])}\n`;
}
