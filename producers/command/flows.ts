import type { Command } from "commander";
import type { CommandContext } from "../../src/command/context.ts";
import { END, type Flow } from "../../src/flows/flow.ts";
import { findFlow, FLOWS } from "../../src/flows/flows.ts";
import { inputJsonSchema } from "../../src/operations/accepted-input.ts";
import { formatTable } from "../report/table.ts";

export function defineFlows(command: Command, context: CommandContext): void {
  command
    .argument("[name]", "a flow's name")
    .option("--json", "print one JSON document")
    .action((name: string | undefined, flags: { readonly json?: true }) => {
      const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
      if (name === undefined) {
        context.stdout.write(flags.json ? json(FLOWS.map(entry)) : list());
        return;
      }
      const flow = findFlow(name);
      const described = { ...entry(flow), steps: flow.steps, example: flow.example, input: inputJsonSchema(flow) };
      context.stdout.write(flags.json ? json(described) : `${details(flow)}\n${json(described.input)}`);
    });
}

function entry({ name, provider, summary, first }: Flow): Record<string, unknown> {
  return { name, provider, summary, first };
}

function list(): string {
  const rows = FLOWS.map(({ name, summary }) => [name, summary]);
  const hint = "`satyapan flows NAME` shows a flow's steps and its input.";
  return `${formatTable([{ title: "flow" }, { title: "does" }], rows)}\n${hint}\n`;
}

function details({ name, summary, example, steps }: Flow): string {
  const rows = Object.entries(steps).map(([step, { operation, code, next }]) => [
    step,
    operation,
    code === undefined ? "" : "a person's code",
    next
      .map(({ when, go }) => `${go === END ? "done" : go}${when === undefined ? "" : ` (${describe(when)})`}`)
      .join(", "),
  ]);
  const columns = [{ title: "step" }, { title: "operation" }, { title: "awaits" }, { title: "then" }];
  const table = formatTable(columns, rows);
  return `${name}: ${summary}\n\n${table}\n  satyapan onboard ${name} --input '${JSON.stringify(example)}'\n\nIts input, as JSON Schema:\n`;
}

function describe(when: Readonly<Record<string, string | boolean | null>>): string {
  return Object.entries(when)
    .map(([field, value]) => (value === null ? `no ${field}` : `${field} ${String(value)}`))
    .join(" and ");
}
