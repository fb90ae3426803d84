import type { Command } from "commander";
import type { CommandContext } from "../../src/command/context.ts";
import { defineBatchLife } from "./batch-life.ts";

export function defineBatch(command: Command, context: CommandContext): void {
  defineBatchLife(command, context);
}
