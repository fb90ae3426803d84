import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { type CommandContext, ExitCode } from "../../src/command/context.ts";
import { loadSettings } from "../../src/command/settings.ts";
import { SatyapanError } from "../../src/base/error.ts";
import type { ProviderName } from "../../src/base/provider-name.ts";
import type { BatchView } from "../../src/batches/batch.ts";
import type { Settings } from "../../src/config/settings.ts";
import { findFlow } from "../../src/flows/flows.ts";
import { findOperation } from "../../src/operations/catalogue.ts";
import { stateDirOf } from "../../src/redis/access.ts";
import type { BatchRuns } from "../batches/batch-terms.ts";
import type { Client } from "../client.ts";
import { checkFile } from "../imports/check-file.ts";
import { estimate, type QueueLook } from "../imports/estimate.ts";
import type { ImportTarget } from "../imports/import-target.ts";
import { checkJson, formatCheck } from "../imports/format-check.ts";
import { addFileFlags, type FileFlags, openImport } from "./batch-flags.ts";
import { openClient } from "./open.ts";
import { startCount } from "../report/progress.ts";

/** `batch check FILE`: says what is wrong with a file, what it means, and what running it takes. Nothing is started or kept. */
export function defineBatchCheck(command: Command, context: CommandContext): void {
  addFileFlags(command.argument("<file>", "CSV or NDJSON, also packed with gzip; - for standard input"))
    .option("--json", "print one JSON document")
    .action(async (path: string, flags: FileFlags & { readonly json?: true }) => {
      const settings = loadSettings(context);
      await using stack = new AsyncDisposableStack();
      const { file, target } = await openImport(context, settings, path, flags, stack);
      const counter = startCount(context.stderr, "rows checked");
      const asked = redisToAsk(context, settings);
      const client = asked === null ? null : stack.use(asked);
      let check;
      try {
        check = await checkFile(file, {
          ...{ signal: context.signal, onRows: (rows) => counter.update(rows) },
          holders: async (subjects) =>
            client === null ? null : await orUnknown(client.batches.holders(runsOf(target), subjects)),
        });
      } finally {
        counter.stop();
      }
      const { provider } = target.owner;
      const known = { quota: settings.quotas[provider], prices: settings.callPrices };
      const look = client === null ? null : await orUnknown(lookAt(client, provider));
      const takes = estimate(target, check.good, known, look);
      const now = context.now();
      const text = flags.json
        ? `${JSON.stringify(checkJson(check, target, takes, now))}\n`
        : formatCheck(check, target, takes, now);
      context.stdout.write(text);
      if (check.bad > 0) context.exit(ExitCode.WRONG_USE);
    });
}

/** Null where nobody can be asked: a check is no reason to start a Redis. */
function redisToAsk(context: CommandContext, settings: Settings): Client | null {
  if (settings.redisUrl === null && !existsSync(join(stateDirOf(context.cwd), "redis"))) return null;
  return openClient(context);
}

/** Nor is it one to fail without Redis: the report says what is not known. */
async function orUnknown<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof SatyapanError)) throw error;
    return null;
  }
}

async function lookAt(client: Client, provider: ProviderName): Promise<QueueLook> {
  const [gate, jobs, batches] = await Promise.all([
    client.gates.read(provider),
    client.gates.waiting(provider),
    client.batches.list(),
  ]);
  return { gate, ahead: jobs + rowsAhead(batches, provider) };
}

function runsOf({ kind, name }: ImportTarget): BatchRuns {
  return kind === "flow" ? { flow: name } : { operation: name };
}

/** Rows of other batches that wait for this provider, and are not in its queue yet. */
function rowsAhead(batches: readonly BatchView[], provider: ProviderName): number {
  const theirs = batches.filter(({ operation, flow }) => {
    const owner = operation === undefined ? findFlow(flow ?? "") : findOperation(operation);
    return owner.provider === provider;
  });
  return theirs.reduce((sum, { counts }) => sum + counts.waiting, 0);
}
