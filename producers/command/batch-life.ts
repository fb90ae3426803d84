import type { Command } from "commander";
import { Complaint, parseText, quote, textSchema } from "../../src/base/text.ts";
import { type CommandContext, ExitCode } from "../../src/command/context.ts";
import { ErrorCode } from "../../src/base/error.ts";
import type { BatchView } from "../../src/batches/batch.ts";
import type { Client } from "../client.ts";
import { batchDisplay } from "../report/batch-bars.ts";
import { formatBatch, formatBatches, formatProgress } from "../report/format-batch.ts";
import { bearOutages } from "./bear-outages.ts";
import { openClient } from "./open.ts";
import { parseCount } from "./parse-argument.ts";

interface JsonFlag {
  readonly json?: true;
}

const WHICH = "its id, your own id for it, or its name";
const JSON_OPTION = ["--json", "print one JSON document"] as const;

/** What is done with a batch once it is in. */
export function defineBatchLife(command: Command, context: CommandContext): void {
  const { stdout, stderr, signal, now } = context;
  command
    .command("list")
    .description("all batches that are kept, the newest first")
    .option(...JSON_OPTION)
    .action(async ({ json }: JsonFlag) => {
      await using client = openClient(context);
      const views = await client.batches.list();
      stdout.write(json ? `${JSON.stringify(views)}\n` : formatBatches(views));
    });
  command
    .command("show")
    .description("where a batch stands: how many rows are in which state, and when it ends")
    .argument("<batch>", WHICH)
    .option(...JSON_OPTION)
    .action(async (batch: string, { json }: JsonFlag) => {
      await using client = openClient(context);
      const view = await client.batches.show(batch);
      stdout.write(json ? `${JSON.stringify(view)}\n` : formatBatch(view, now()));
    });
  command
    .command("watch")
    .description("show it as it goes on, until it ends; a line every two seconds where there is no terminal")
    .argument("<batch>", WHICH)
    .option("--json", "print a JSON document, in one line, for each change")
    .action(async (batch: string, { json }: JsonFlag) => {
      await using client = openClient(context);
      await watch(client, batch, json === true);
    });
  change(
    "pause",
    "hand over no more rows; those that were never called come back, what is called ends as it ends",
    true,
  );
  change("resume", "go on, also after it stopped by itself", false);
  change("cancel", "call off all rows that were not called, for good; what is called ends as it ends", true);
  command
    .command("weight")
    .description("change its share against its tenant's other batches, or with --tenant a tenant's against the others'")
    .argument("<batch>", `${WHICH}; with --tenant the tenant's name`)
    .argument("<weight>", "0.01 to 100; 1 is as much as any other")
    .option("--tenant", "a tenant's")
    .option(...JSON_OPTION)
    .action(async (name: string, text: string, { json, tenant }: JsonFlag & { readonly tenant?: true }) => {
      const weight = parseText(weightSchema, text, "<weight>", ErrorCode.BAD_USAGE);
      await using client = openClient(context);
      if (tenant === true) {
        await client.batches.setTenantWeight(name, weight);
        stdout.write(json ? `${JSON.stringify({ tenant: name, weight })}\n` : `tenant ${name} has weight ${weight}\n`);
        return;
      }
      const view = await client.batches.setWeight(name, weight);
      stdout.write(json ? `${JSON.stringify(view)}\n` : `batch ${view.id} has weight ${weight}\n`);
    });

  command
    .command("open")
    .description("change how many codes are awaited at once; those that are awaited already stay")
    .argument("<batch>", WHICH)
    .argument("<count>", "at most so many; any: no limit")
    .option(...JSON_OPTION)
    .action(async (name: string, text: string, { json }: JsonFlag) => {
      const most = text === "any" ? null : parseCount(text, "<count>");
      await using client = openClient(context);
      const view = await client.batches.open(name, most);
      const limit = most === null ? "any number of codes" : `at most ${most} ${most === 1 ? "code" : "codes"}`;
      stdout.write(json ? `${JSON.stringify(view)}\n` : `batch ${view.id} awaits ${limit} at once\n`);
    });

  function change(name: "pause" | "resume" | "cancel", description: string, takesReason: boolean): void {
    const defined = command
      .command(name)
      .description(description)
      .argument("<batch>", WHICH)
      .option(...JSON_OPTION);
    if (takesReason) defined.option("--reason <text>", "why; kept and shown in clear, so nothing personal");
    defined.action(async (batch: string, { json, reason }: JsonFlag & { readonly reason?: string }) => {
      await using client = openClient(context);
      const view = await obey(client, name, batch, reason);
      stdout.write(json ? `${JSON.stringify(view)}\n` : `batch ${view.id} is ${formatProgress(view, now())}\n`);
    });
  }

  async function watch(client: Client, batch: string, json: boolean): Promise<void> {
    let last: BatchView | null = null;
    const display = json ? null : batchDisplay(stdout, now);
    const outages = bearOutages((text) => {
      if (display?.note(text) !== true) stderr.write(`satyapan: ${text}\n`);
    });
    try {
      // What is drawn anew shows the time that is left.
      const everyLook = !json && stdout.isTTY === true;
      for await (const view of client.batches.watch(batch, { ...outages, signal, everyLook })) {
        last = view;
        if (json) stdout.write(`${JSON.stringify(view)}\n`);
        display?.show(view);
      }
    } finally {
      display?.stop();
    }
    if (last?.state !== "finished") context.exit(ExitCode.NOT_SUCCEEDED);
  }
}

async function obey(
  client: Client,
  command: "pause" | "resume" | "cancel",
  batch: string,
  reason: string | undefined,
): Promise<BatchView> {
  if (command === "resume") return await client.batches.resume(batch);
  return await client.batches[command](batch, reason);
}

const weightSchema = textSchema("number from 0.01 to 100", (text) =>
  /^\d{1,3}(\.\d{1,2})?$/.test(text)
    ? Number(text)
    : new Complaint(`must be a number from 0.01 to 100, not ${quote(text)}`),
);
