import { readFileSync } from "node:fs";
import { homedir, tmpdir, userInfo } from "node:os";
import { Command, CommanderError } from "commander";
import { commandActor } from "../producers/by.ts";
import { auditCommand } from "../producers/command/audit.ts";
import { doctorCommand } from "../producers/command/doctor.ts";
import { explainCommand } from "../producers/command/explain.ts";
import { failedCommand } from "../producers/command/failed.ts";
import { keysCommand } from "../producers/command/keys.ts";
import { operationsCommand } from "../producers/command/operations.ts";
import { providerCommand } from "../producers/command/provider.ts";
import { quotaCommand } from "../producers/command/quota.ts";
import { scanCommand } from "../producers/command/scan.ts";
import { settleCommand } from "../producers/command/settle.ts";
import { showCommand } from "../producers/command/show.ts";
import { shredCommand } from "../producers/command/shred.ts";
import { submitCommand } from "../producers/command/submit.ts";
import { simulatorCommand } from "../simulator/command.ts";
import { type CommandContext, ExitCode } from "../src/command/context.ts";
import { Faults } from "../src/command/faults.ts";
import { exitCodeOf } from "../src/command/exit-code.ts";
import { readEnvironment } from "../src/config/environment.ts";
import { SatyapanError } from "../src/base/error.ts";
import { machineFrom } from "../src/redis/embedded/machine.ts";
import { describeError } from "../src/telemetry/logger.ts";
import { workerCommand } from "../workers/command.ts";
import { usageProblem } from "./usage-error.ts";

// The one place that joins the rooms: workers and producers do not know each other.
const stop = new AbortController();
// npx and bin/satyapan.js pass on the Ctrl-C that the terminal sent to this process too: within this time, in ms, it is one.
const SAME_SIGNAL_MS = 500;
let firstSignalAt = 0;
/** What still runs when a command is over has this long to end by itself, in ms. */
const LEFT_OVER_MS = 500;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (!stop.signal.aborted) {
      firstSignalAt = performance.now();
      stop.abort();
    } else if (performance.now() - firstSignalAt > SAME_SIGNAL_MS) {
      // The second one means it: whatever still runs is found in the journal by the next worker.
      process.exit(130);
    }
  });
}
// Without a listener Node opens a debugger at this signal, in a process that holds clear values. `--inspect` still does.
process.on("SIGUSR1", () => {});
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // Whoever read it has gone (`| head`): no reason to stop in the middle.
    if (error.code !== "EPIPE") throw error;
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

const env = readEnvironment();
const context: CommandContext = {
  env,
  cwd: process.cwd(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  now: Date.now,
  random: Math.random,
  readFile: (path) => readFileSync(path, "utf8"),
  readBytes: (path) => readFileSync(path),
  actor: commandActor(userInfo().username),
  machine: machineFrom(env, process.platform, homedir(), tmpdir()),
  signal: stop.signal,
  faults,
  exit: (code) => (process.exitCode = code),
};

const program = new Command("satyapan")
  .description("OTP and identity-verification jobs for Eko and Deepvue")
  .addHelpText(
    "after",
    `\nExit codes: 0 done, 1 the job did not succeed, 2 wrong use or input, 3 a service cannot be reached.`,
  )
  .configureOutput({ outputError: () => {} }) // said below, in one line
  .exitOverride();
for (const command of [
  workerCommand(context),
  submitCommand(context),
  showCommand(context),
  explainCommand(context),
  settleCommand(context),
  failedCommand(context),
  quotaCommand(context),
  providerCommand(context),
  keysCommand(context),
  shredCommand(context),
  auditCommand(context),
  operationsCommand(context),
  simulatorCommand(context),
  scanCommand(context),
  doctorCommand(context),
]) {
  inherit(command, program);
  program.addCommand(command);
}

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
    const command = program.commands.find((known) => known.name() === process.argv[2])?.name() ?? null;
    if (!isHelp) process.stderr.write(`satyapan: ${usageProblem(error, command)}\n`);
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

/** Also for the commands within it: they were made before it was added. */
function inherit(command: Command, from: Command): void {
  command.copyInheritedSettings(from);
  for (const inner of command.commands) inherit(inner, command);
}
