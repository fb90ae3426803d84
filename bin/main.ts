import { Command, CommanderError } from "commander";
import { SatyapanError } from "../src/base/error.ts";
import { ExitCode } from "../src/command/context.ts";
import { exitCodeOf } from "../src/command/exit-code.ts";
import { Faults } from "../src/command/faults.ts";
import { ownVersion } from "../src/command/version.ts";
import { describeError } from "../src/telemetry/describe-error.ts";
import { addCommands, commandOf } from "./commands.ts";
import { usageProblem } from "./usage-error.ts";

// What is imported above is loaded by every command, also by `satyapan --help`: nothing that is large.
const stop = new AbortController();
// npx and bin/satyapan.js pass on the Ctrl-C that the terminal sent to this process too: within this time, in ms, it is one.
const SAME_SIGNAL_MS = 500;
let firstSignalAt = 0;
/** What still runs when a command is over has this long to end by itself, in ms. */
const LEFT_OVER_MS = 500;
const onSignal = (): void => {
  if (!stop.signal.aborted) {
    firstSignalAt = performance.now();
    stop.abort();
  } else if (performance.now() - firstSignalAt > SAME_SIGNAL_MS) {
    // The second one means it: whatever still runs is found in the journal by the next worker.
    process.exit(130);
  }
};
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, onSignal);
// Not of every command: one that was started with `nohup` goes on.
const endAtHangup = (): void => void process.on("SIGHUP", onSignal);
// Without a listener Node opens a debugger at this signal, in a process that holds clear values. `--inspect` still does.
process.on("SIGUSR1", () => {});
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // Whoever read it has gone (`| head`, a terminal that was closed): no reason to stop in the middle.
    if (error.code === "EPIPE" || (error.code === "EIO" && stream.isTTY)) return;
    if (stream !== process.stdout || error.code === undefined) throw error;
    const why = error.code === "ENOSPC" ? "the disk is full" : error.code;
    process.stderr.write(`satyapan: standard output cannot be written whole: ${why}\n`);
    process.exit(ExitCode.NOT_SUCCEEDED);
  });
}

const faults = new Faults();
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (error: unknown) => {
    const graceMs = faults.tell(error);
    if (graceMs === null) {
      process.stderr.write(`satyapan: ended by a fault of its own: ${JSON.stringify(describeError(error))}\n`);
      process.exit(ExitCode.NOT_SUCCEEDED);
    }
    // Whatever still hangs after it is found in the journal by the next worker.
    setTimeout(() => process.exit(ExitCode.NOT_SUCCEEDED), graceMs).unref();
  });
}

const program = new Command("satyapan")
  .description("OTP and identity-verification jobs for Eko and Deepvue")
  .version(ownVersion())
  .addHelpText(
    "after",
    `\nExit codes: 0 done, 1 the job did not succeed, 2 wrong use or input, 3 a service cannot be reached.`,
  )
  .configureOutput({ outputError: () => {} }) // said below, in one line
  .exitOverride();
addCommands(program, async () =>
  (await import("./process-context.ts")).processContext(faults, stop.signal, endAtHangup),
);

// The command alone, instead of the arguments, which `ps` shows to everybody: an input is a person's data.
process.title = ["satyapan", program.commands.find((known) => known.name() === process.argv[2])?.name()]
  .join(" ")
  .trim();

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Help was asked for, or is what `satyapan` alone prints.
    const isHelp = error.exitCode === 0 || error.code === "commander.help";
    const { path } = commandOf(program, process.argv.slice(2));
    if (!isHelp) process.stderr.write(`satyapan: ${usageProblem(error, path)}\n`);
    process.exitCode = error.exitCode === 0 ? ExitCode.DONE : ExitCode.WRONG_USE;
  } else if (error instanceof SatyapanError) {
    process.stderr.write(`satyapan: ${error.message}\n`);
    process.exitCode = exitCodeOf(error);
  } else {
    throw error;
  }
}

// Nothing that is left keeps the process alive: after a fault, or a timer of BullMQ's whose Redis went away.
if (faults.any) process.exit(process.exitCode);
setTimeout(() => process.exit(), LEFT_OVER_MS).unref();
