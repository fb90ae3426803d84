import { Command } from "commander";
import { addCommands } from "../bin/commands.ts";
import type { CommandContext } from "../src/command/context.ts";

/** Runs `satyapan ARGS` in this process, as if somebody typed it. Throws what the command throws. */
export async function typed(context: CommandContext, args: readonly string[]): Promise<void> {
  context.stdout.write(`\n$ satyapan ${args.join(" ")}\n`);
  const program = new Command("satyapan").exitOverride();
  addCommands(program, async () => await Promise.resolve(context));
  try {
    await program.parseAsync(args, { from: "user" });
  } finally {
    // Why everything ends, before what the command says of it.
    context.signal.throwIfAborted();
  }
}
