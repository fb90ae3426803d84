import type { Command } from "commander";
import type { CommandContext } from "../src/command/context.ts";
import { runWorkerProcess } from "./worker-process.ts";

export function defineWorker(command: Command, context: CommandContext): void {
  command.action(async () => await runWorkerProcess(context));
}
