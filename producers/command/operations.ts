import type { Command } from "commander";
import type { CommandContext } from "../../src/command/context.ts";
import { inputJsonSchema } from "../../src/operations/accepted-input.ts";
import { findOperation, OPERATIONS } from "../../src/operations/catalogue.ts";
import type { Operation } from "../../src/operations/operation.ts";
import { formatTable } from "../report/table.ts";

export function defineOperations(command: Command, context: CommandContext): void {
  command
    .argument("[name]", "an operation's name")
    .option("--json", "print one JSON document")
    .action((name: string | undefined, flags: { readonly json?: true }) => {
      const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
      if (name === undefined) {
        context.stdout.write(flags.json ? json(OPERATIONS.map(entry)) : list());
        return;
      }
      const operation = findOperation(name);
      const described = { ...entry(operation), example: operation.example, input: inputJsonSchema(operation) };
      context.stdout.write(flags.json ? json(described) : `${details(operation)}\n${json(described.input)}`);
    });
}

function entry({ name, provider, step, summary, path, of, afterUnknown }: Operation): Record<string, unknown> {
  return {
    name,
    provider,
    step,
    summary,
    path,
    after_unknown: afterUnknown,
    ...(of === undefined ? {} : { of: of.send }),
  };
}

function list(): string {
  const rows = OPERATIONS.map(({ name, summary }) => [name, summary]);
  const hint = "`satyapan operations NAME` shows an operation's input.";
  return `${formatTable([{ title: "operation" }, { title: "does" }], rows)}\n${hint}\n`;
}

function details({ name, summary, example, of }: Operation): string {
  const verify =
    of === undefined
      ? ""
      : `\nWith \`of\`, the id of its ${of.send} job, it takes that job's references:\n\n  satyapan submit ${name} --input '${JSON.stringify({ of: "JOB-ID", otp: "123456" })}'\n`;
  return `${name}: ${summary}\n\n  satyapan submit ${name} --input '${JSON.stringify(example)}'\n${verify}\nIts input, as JSON Schema:\n`;
}
