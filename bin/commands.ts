import { type Command, Help } from "commander";
import type { CommandContext } from "../src/command/context.ts";
import { keepHeapSmall } from "./small-heap.ts";

/** Gives a command its arguments, options and action. */
export type DefineCommand = (command: Command, context: CommandContext) => void;

export interface CommandEntry {
  readonly name: string;
  /** What follows the name in the list of commands. */
  readonly usage: string;
  readonly description: string;
  /** Only the command that runs is loaded, with what it imports. */
  readonly load: () => Promise<DefineCommand>;
}

/**
 * All commands, in the order of `satyapan --help`. This is the one place that joins the rooms: workers, producers and the
 * simulator do not know each other.
 */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "worker",
    usage: "",
    description: "run workers for every provider that has settings, until SIGTERM or Ctrl-C",
    load: async () => (await import("../workers/command.ts")).defineWorker,
  },
  {
    name: "submit",
    usage: "[options] <operation>",
    description: "submit one job, or with --each one per row of a file",
    load: async () => {
      keepHeapSmall();
      return (await import("../producers/command/submit.ts")).defineSubmit;
    },
  },
  {
    name: "batch",
    usage: "",
    description: "files of many rows as one: check, submit, show, watch, pause, resume, cancel, results",
    load: async () => {
      keepHeapSmall();
      return (await import("../producers/command/batch.ts")).defineBatch;
    },
  },
  {
    name: "show",
    usage: "[options] <id>",
    description: "show a job's record; with --reveal its sealed values too, which the audit log records",
    load: async () => (await import("../producers/command/show.ts")).defineShow,
  },
  {
    name: "explain",
    usage: "[options] <id>",
    description: "say why a job is not done yet, and when it will be tried",
    load: async () => (await import("../producers/command/explain.ts")).defineExplain,
  },
  {
    name: "promote",
    usage: "[options] <id>",
    description: "try a job now that backs off after a failed attempt; whatever else stops it, still does",
    load: async () => (await import("../producers/command/promote.ts")).definePromote,
  },
  {
    name: "settle",
    usage: "[options] <id> <decision>",
    description: "decide a job that is `unknown`: a call that may have happened is never repeated without a decision",
    load: async () => (await import("../producers/command/settle.ts")).defineSettle,
  },
  {
    name: "unknown",
    usage: "",
    description: "jobs whose calls may have happened: list those that wait for a decision",
    load: async () => (await import("../producers/command/unknown.ts")).defineUnknown,
  },
  {
    name: "onboard",
    usage: "[options] [flow]",
    description: "onboard one person through a flow's calls; show, list, cancel",
    load: async () => (await import("../producers/command/onboard.ts")).defineOnboard,
  },
  {
    name: "otp",
    usage: "[options] <id> [code]",
    description: "give the code that a person read out, or have another sent",
    load: async () => (await import("../producers/command/otp.ts")).defineOtp,
  },
  {
    name: "find",
    usage: "[options]",
    description: "what happened to a person: by a number from standard input, which is neither kept nor printed",
    load: async () => (await import("../producers/command/find.ts")).defineFind,
  },
  {
    name: "failed",
    usage: "",
    description: "jobs whose attempts were used up: list, try again, drop",
    load: async () => (await import("../producers/command/failed.ts")).defineFailed,
  },
  {
    name: "quota",
    usage: "",
    description: "show and change how often a provider is called",
    load: async () => (await import("../producers/command/quota.ts")).defineQuota,
  },
  {
    name: "provider",
    usage: "",
    description: "show what stops or slows a provider down, and resume it",
    load: async () => (await import("../producers/command/provider.ts")).defineProvider,
  },
  {
    name: "top",
    usage: "[options]",
    description: "the health of each provider's queue, live: quota, holds, what waits and why, the last troubles",
    load: async () => (await import("../producers/command/top.ts")).defineTop,
  },
  {
    name: "keys",
    usage: "",
    description: "the keys that seal what jobs hold: show, replace, retire",
    load: async () => (await import("../producers/command/keys.ts")).defineKeys,
  },
  {
    name: "shred",
    usage: "[options]",
    description: "destroy data keys, so that nobody can ever open what they sealed; without --yes it only says what",
    load: async () => (await import("../producers/command/shred.ts")).defineShred,
  },
  {
    name: "audit",
    usage: "",
    description: "the log of who did what: check that nobody changed it, and export it",
    load: async () => (await import("../producers/command/audit.ts")).defineAudit,
  },
  {
    name: "operations",
    usage: "[options] [name]",
    description: "list the catalogue, or show one operation's input schema and an example",
    load: async () => (await import("../producers/command/operations.ts")).defineOperations,
  },
  {
    name: "flows",
    usage: "[options] [name]",
    description: "list the flows that onboard a person, or show one's steps, input schema and an example",
    load: async () => (await import("../producers/command/flows.ts")).defineFlows,
  },
  {
    name: "simulator",
    usage: "[options]",
    description: "a stand-in for Eko and Deepvue: made-up people, no SMS, no money",
    load: async () => (await import("../simulator/command.ts")).defineSimulator,
  },
  {
    name: "scan",
    usage: "[options]",
    description: "look for personal numbers and secrets where they must not be: in Redis, its files, logs and metrics",
    load: async () => (await import("../producers/command/scan.ts")).defineScan,
  },
  {
    name: "doctor",
    usage: "[options]",
    description: "check settings, Redis, and each provider's clock, credentials and signature; sends nobody anything",
    load: async () => (await import("../producers/command/doctor.ts")).defineDoctor,
  },
];

/** Adds all of them to `program`; each is defined when it is called, before its arguments are read. */
export function addCommands(program: Command, createContext: () => Promise<CommandContext>): void {
  const entries = new Map(COMMANDS.map((entry) => [entry.name, entry]));
  const help = new Help();
  program.configureHelp({
    subcommandTerm: (command) => {
      const entry = command.parent === program ? entries.get(command.name()) : undefined;
      return entry === undefined ? help.subcommandTerm(command) : `${entry.name} ${entry.usage}`.trimEnd();
    },
  });
  for (const { name, description } of COMMANDS) program.command(name).description(description);
  const define = async (command: Command): Promise<void> => {
    const entry = entries.get(command.name());
    if (entry === undefined) return;
    const [defineIt, context] = await Promise.all([entry.load(), createContext()]);
    defineIt(command, context);
  };
  program.hook("preSubcommand", async (_program, command) => await define(command));
  // In place of commander's own, which would show a command that is not defined yet.
  program
    .helpCommand(false)
    .command("help [command...]")
    .description("display help for command")
    .action(async (names: readonly string[]) => {
      if (names.length === 0) program.help();
      const [named] = commandOf(program, names.slice(0, 1)).path;
      if (named === undefined) program.help({ error: true });
      await define(commandOf(program, [named]).command);
      const { command, path } = commandOf(program, names);
      command.help({ error: path.length < names.length });
    });
}

/** The command that the arguments begin with, and its names, such as `batch` and `show`; `program` itself where they begin with none. */
export function commandOf(
  program: Command,
  args: readonly string[],
): { readonly command: Command; readonly path: readonly string[] } {
  let command = program;
  const path: string[] = [];
  for (const arg of args) {
    const next = command.commands.find((known) => known.name() === arg);
    if (next === undefined) break;
    command = next;
    path.push(arg);
  }
  return { command, path };
}
