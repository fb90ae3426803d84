import type { Command } from "commander";
import type { CommandContext } from "../../src/command/context.ts";
import { targetNamed } from "../imports/import-target.ts";
import { templateOf } from "../imports/template.ts";
import { defineBatchCall } from "./batch-call.ts";
import { defineBatchCheck } from "./batch-check.ts";
import { defineBatchLife } from "./batch-life.ts";
import { defineBatchResults } from "./batch-results.ts";
import { defineBatchSubmit } from "./batch-submit.ts";

const EXAMPLES = `
Examples:
  satyapan batch template eko.dmt-levin > senders.csv
  satyapan batch check senders.csv --flow eko.dmt-levin --map 'Contact=customer_id'`;

export function defineBatch(command: Command, context: CommandContext): void {
  command.addHelpText("after", EXAMPLES);
  defineBatchCheck(
    command.command("check").description("say what is wrong with a file's rows, and what running them takes"),
    context,
  );
  defineBatchSubmit(
    command.command("submit").description("check a file's rows, and run them as one batch: all are accepted, or none"),
    context,
  );
  command
    .command("template")
    .description("print a CSV header and one example row")
    .argument("<name>", "what each row is to run: a flow or an operation")
    .action((name: string) => {
      context.stdout.write(templateOf(targetNamed(name)));
    });
  defineBatchLife(command, context);
  defineBatchCall(
    command.command("call").description("an operator's seat: the next sender to talk to, one after the other"),
    context,
  );
  defineBatchResults(
    command.command("results").description("what became of each row, with the file's own columns, masked"),
    context,
  );
}
