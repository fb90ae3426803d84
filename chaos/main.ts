import { randomInt } from "node:crypto";
import { homedir, tmpdir } from "node:os";
import { Command, CommanderError, Option, InvalidArgumentError } from "commander";
import { readEnvironment } from "../src/config/environment.ts";
import { SatyapanError } from "../src/error.ts";
import { machineFrom } from "../src/queues/machine.ts";
import { type Fsync, FSYNCS } from "./chaos-redis.ts";
import { runChaos } from "./harness.ts";
import { formatChaos } from "./report.ts";

// Workers against the simulator while everything dies; then the simulator's own record is held against ours (design §8).

interface Flags {
  readonly seed?: number;
  readonly kills: number;
  readonly seconds: number;
  readonly workers: number;
  readonly rate: number;
  readonly drain: number;
  readonly fsync: Fsync;
}

function positive(option: string): (text: string) => number {
  return (text) => {
    const number = /^\d{1,9}(\.\d+)?$/.test(text) ? Number(text) : 0;
    if (number > 0) return number;
    throw new InvalidArgumentError(`${option} must be a number above 0.`);
  };
}

const program = new Command("chaos")
  .description("kills, freezes and cuts off workers and Redis, and counts what must never happen")
  .option("--seed <n>", "the same seed, the same mischief (as far as this machine's timing allows)", positive("--seed"))
  .option("--kills <n>", "ends after so many SIGKILLs", positive("--kills"), 40)
  .option("--seconds <n>", "or after so much time", positive("--seconds"), 60)
  .option("--workers <n>", "worker processes", positive("--workers"), 3)
  .option("--rate <n>", "SIGKILLs a second that are aimed at", positive("--rate"), 0.8)
  .option("--drain <n>", "longest wait for the last job afterwards, in seconds", positive("--drain"), 120)
  .addOption(new Option("--fsync <when>", "Redis' appendfsync").choices(FSYNCS).default("always"))
  .exitOverride();

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130)); // ends all children

try {
  const flags = program.parse().opts<Flags>();
  const { seed = randomInt(1, 1_000_000), kills, seconds, workers, rate, drain, fsync } = flags;
  const machine = machineFrom(readEnvironment(), process.platform, homedir(), tmpdir());
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const report = await runChaos({ seed, kills, seconds, workers, rate, drainSeconds: drain, fsync, machine, say });
  process.stdout.write(formatChaos(report, seed));
  process.exit(report.violations.length === 0 ? 0 : 1);
} catch (error) {
  if (!(error instanceof SatyapanError || error instanceof CommanderError)) throw error;
  if (error instanceof SatyapanError) process.stderr.write(`chaos: ${error.message}\n`);
  process.exitCode = error instanceof CommanderError && error.exitCode === 0 ? 0 : 2;
}
