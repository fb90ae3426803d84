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
import { checkFile } from "../imports/check-file.ts";
import { estimate, type QueueLook } from "../imports/estimate.ts";
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
      let check;
      try {
        check = await checkFile(file, { signal: context.signal, onRows: (rows) => counter.update(rows) });
      } finally {
        counter.stop();
      }
      const { provider } = target.owner;
      const known = { quota: settings.quotas[provider], prices: settings.callPrices };
      const takes = estimate(target, check.good, known, await lookAt(context, settings, provider));
      const now = context.now();
      const text = flags.json
        ? `${JSON.stringify(checkJson(check, target, takes, now))}\n`
        : formatCheck(check, target, takes, now);
      context.stdout.write(text);
      if (check.bad > 0) context.exit(ExitCode.WRONG_USE);
    });
}

/** Null where nobody can be asked: an estimate is no reason to start a Redis, or to fail without one. */
async function lookAt(context: CommandContext, settings: Settings, provider: ProviderName): Promise<QueueLook | null> {
  if (settings.redisUrl === null && !existsSync(join(stateDirOf(context.cwd), "redis"))) return null;
  await using client = openClient(context);
  try {
    const [gate, jobs, batches] = await Promise.all([
      client.gates.read(provider),
      client.gates.waiting(provider),
      client.batches.list(),
    ]);
    return { gate, ahead: jobs + rowsAhead(batches, provider) };
  } catch (error) {
    if (!(error instanceof SatyapanError)) throw error;
    return null; // the report says that it is not known
  }
}

/** Rows of other batches that wait for this provider, and are not in its queue yet. */
function rowsAhead(batches: readonly BatchView[], provider: ProviderName): number {
  const theirs = batches.filter(({ operation, flow }) => {
    const owner = operation === undefined ? findFlow(flow ?? "") : findOperation(operation);
    return owner.provider === provider;
  });
  return theirs.reduce((sum, { counts }) => sum + counts.waiting, 0);
}
