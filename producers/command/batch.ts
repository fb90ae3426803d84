import type { Command } from "commander";
import type { CommandContext } from "../../src/command/context.ts";
import { importTarget } from "../imports/import-target.ts";
import { templateOf } from "../imports/template.ts";
import { defineBatchCheck } from "./batch-check.ts";
import { defineBatchLife } from "./batch-life.ts";

const EXAMPLES = `
Examples:
  satyapan batch template eko.mobile-otp > senders.csv
  satyapan batch check senders.csv --operation eko.mobile-otp --map 'Contact=mobile'`;

export function defineBatch(command: Command, context: CommandContext): void {
  command.addHelpText("after", EXAMPLES);
  defineBatchCheck(
    command.command("check").description("say what is wrong with a file's rows, and what running them takes"),
    context,
  );
  command
    .command("template")
    .description("print a CSV header and one example row")
    .argument("<operation>", "what each row is to run")
    .action((operation: string) => {
      context.stdout.write(templateOf(importTarget({ operation })));
    });
  defineBatchLife(command, context);
}
