import { randomInt } from "node:crypto";
import { homedir, tmpdir } from "node:os";
import { Command, CommanderError, Option, InvalidArgumentError } from "commander";
import { readEnvironment } from "../src/config/environment.ts";
import { SatyapanError } from "../src/base/error.ts";
import { type Machine, machineFrom } from "../src/redis/embedded/machine.ts";
import { type Fsync, FSYNCS } from "./chaos-redis.ts";
import { FAILOVER_VERDICT, failoverTable } from "./failover/failover-table.ts";
import { findServer } from "./failover/find-server.ts";
import { type FailoverReport, runScenario } from "./failover/run-scenario.ts";
import { SCENARIOS } from "./failover/scenarios.ts";
import { measureWindows } from "./failover/windows.ts";
import { REDIS_KINDS, type RedisKind } from "./failover/topology.ts";
import { runChaos } from "./harness.ts";
import { dice } from "./random.ts";
import { formatChaos } from "./report.ts";

// Workers against the simulator while everything dies; then the simulator's own record is held against ours (design §8).

interface Flags {
  readonly seed?: number;
  readonly kills: number;
  readonly seconds: number;
  readonly workers: number;
  readonly rate: number;
  readonly quota: number;
  readonly clocks: number;
  readonly drain: number;
  readonly flows?: true;
  readonly archive?: true;
  readonly fsync: Fsync;
  readonly redis: RedisKind;
  readonly scenario?: string;
  readonly server: string;
  readonly before: number;
  readonly after: number;
  readonly windows?: true;
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
  .option("--quota <n>", "calls a second of Eko's quota: a quarter of it is a ticket's size", positive("--quota"), 15)
  .option("--clocks <n>", "seconds by which one of three clocks is ahead, and one behind", positive("--clocks"), 120)
  .option(
    "--drain <n>",
    "longest wait for one more job to settle afterwards (with --flows: for the last row), in seconds",
    positive("--drain"),
    120,
  )
  .option(
    "--flows",
    "files of rows that run flows, whose persons answer at once, late, wrongly or never; not single jobs",
  )
  .addOption(
    new Option(
      "--archive",
      "jobs have generated ids, and their records are archived seconds after their end; some are submitted again",
    ).conflicts("flows"),
  )
  .addOption(new Option("--fsync <when>", "Redis' appendfsync").choices(FSYNCS).default("always"))
  .addOption(
    new Option("--redis <kind>", "what the workers run on; but for standalone without --scenario, one event is judged")
      .choices(REDIS_KINDS)
      .default("standalone"),
  )
  .option("--scenario <names>", `failovers, parted by commas, or all: ${Object.keys(SCENARIOS).join(", ")}`)
  .option("--server <program>", "redis-server or valkey-server, from the PATH", "redis-server")
  .option("--before <n>", "of a failover: seconds of load before it", positive("--before"), 6)
  .option("--after <n>", "of a failover: seconds of load from its beginning on, at least", positive("--after"), 35)
  .option(
    "--windows",
    "instead: how many acknowledged writes a failover of Sentinel loses, and what keeping them costs",
  )
  .exitOverride();

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130)); // ends all children

try {
  const flags = program.parse().opts<Flags>();
  const { seed = randomInt(1, 1_000_000), kills, seconds, workers, rate, quota, clocks, drain, fsync } = flags;
  const machine = machineFrom(readEnvironment(), process.platform, homedir(), tmpdir());
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  if (flags.windows === true) {
    const server = await findServer(flags.server, machine);
    process.stdout.write(await measureWindows(server, machine, dice(seed, "ports").next, say));
    process.exit(0);
  }
  if (flags.redis === "standalone" && flags.scenario === undefined) {
    const flows = flags.flows === true;
    const chaos = {
      seed,
      kills,
      seconds,
      workers,
      rate,
      quota,
      clocks,
      drainSeconds: drain,
      flows,
      archive: flags.archive === true,
      fsync,
      machine,
      say,
    };
    const report = await runChaos(chaos);
    process.stdout.write(formatChaos(report, seed));
    process.exit(report.violations.length === 0 ? 0 : 1);
  }
  process.exit((await failovers(flags, seed, machine, say)) ? 0 : 1);
} catch (error) {
  if (!(error instanceof SatyapanError || error instanceof CommanderError)) throw error;
  if (error instanceof SatyapanError) process.stderr.write(`chaos: ${error.message}\n`);
  process.exitCode = error instanceof CommanderError && error.exitCode === 0 ? 0 : 2;
}

/** Whether every bar holds. */
async function failovers(
  { redis, scenario = "all", server, workers, before, after, drain }: Flags,
  seed: number,
  machine: Machine,
  say: (line: string) => void,
): Promise<boolean> {
  const names = scenario === "all" ? Object.keys(SCENARIOS) : scenario.split(",");
  const serverProgram = await findServer(server, machine);
  const reports = new Map<string, FailoverReport>();
  const chosen = names.map((name) => {
    const found = SCENARIOS[name];
    if (found === undefined) throw new InvalidArgumentError(`--scenario: there is no ${name}.`);
    return [name, found] as const;
  });
  for (const [name, found] of chosen) {
    if (!found.kinds.includes(redis)) continue;
    const timed = { seed, workers, before, after, drainSeconds: drain };
    const report = await runScenario({ redis, scenario: found, program: serverProgram, machine, say, ...timed });
    reports.set(name, report);
    say(failoverTable(new Map([[name, report]])));
    for (const [fate, times] of report.fates) say(`${times} workers ${fate}`);
  }
  process.stdout.write(`${redis}, ${server}, seed ${seed}, ${workers} workers\n\n${failoverTable(reports)}\n`);
  process.stdout.write(FAILOVER_VERDICT);
  return [...reports.values()].every(({ missed }) => missed.length === 0);
}
