import { readFileSync, rmSync } from "node:fs";
import { cpus, homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { readEnvironment } from "../src/config/environment.ts";
import { SatyapanError } from "../src/base/error.ts";
import { machineFrom } from "../src/redis/embedded/machine.ts";
import { BEE_ACTIVE, beeSide } from "./bee-side.ts";
import { BenchPostgres } from "./bench-postgres.ts";
import { BenchRedis } from "./bench-redis.ts";
import { Child } from "./child.ts";
import { type Arena, Contender } from "./contender.ts";
import { type CpuProfile, formatProfile } from "./cpu-profile.ts";
import { graphileSide } from "./graphile-side.ts";
import { formatMemory, type JobMemory, memoryUse, type MemoryUse, passHalfAnHour, perJob } from "./memory.ts";
import { wholeNumber } from "./options.ts";
import { PLAIN_ACTIVE, plainSide } from "./plain-side.ts";
import { formatSummary, type Measurement, type Round, type SideName, summarize } from "./report.ts";
import { SATYAPAN_ACTIVE, satyapanSide } from "./satyapan-side.ts";
import type { Place, Side } from "./side.ts";
import type { Store } from "./store.ts";

// Plain BullMQ + undici, and what a user would pick instead, against the whole of Satyapan: same machine, same run, by turns
// (design §8).

/** What every queue keeps once, whatever its jobs, is there after so many. */
const FIRST_JOBS = 500;

interface Flags {
  readonly rounds: number;
  readonly jobs: number;
  readonly latencyJobs: number;
  readonly rate: number;
  readonly concurrency: number;
  readonly warmUpJobs: number;
  readonly memoryJobs: number;
  readonly peers: boolean;
  readonly aof: boolean;
  readonly json?: true;
  readonly check?: true;
  readonly profile?: string | true;
}

const program = new Command("bench")
  .description(
    "plain BullMQ + undici, bee-queue and graphile-worker against the whole of Satyapan, by turns on this machine",
  )
  .option("--rounds <n>", "turns of all sides", wholeNumber(1, 100), 7)
  // More would take so long to submit that connections of the frozen worker run out.
  .option("--jobs <n>", "jobs of each side and round that are drained", wholeNumber(100, 20_000), 8_000)
  .option("--latency-jobs <n>", "jobs submitted one by one", wholeNumber(100, 20_000), 600)
  .option("--rate <n>", "of those, per second", wholeNumber(1, 2_000), 200)
  .option("--concurrency <n>", "jobs at once in a worker", wholeNumber(1, 1_000), 50)
  // V8 compiles until a worker has seen about so many, and takes twice the CPU time meanwhile.
  .option("--warm-up-jobs <n>", "jobs of each side before the first round", wholeNumber(0, 100_000), 16_000)
  .option("--memory-jobs <n>", "jobs whose bytes in Redis are measured", wholeNumber(0, 50_000), 20_000)
  .option("--no-peers", "only plain BullMQ and Satyapan")
  .option("--no-aof", "Redis keeps everything in memory alone")
  .option("--json", "every round, as one JSON document")
  .option("--check", "exit code 1 where a bar is missed")
  .option("--profile [file]", "also profile Satyapan's worker, and print where its CPU time goes")
  .exitOverride();

async function bench(flags: Flags): Promise<boolean> {
  const { aof, concurrency, warmUpJobs } = flags;
  const machine = machineFrom(readEnvironment(), process.platform, homedir(), tmpdir());
  await using opened = new AsyncDisposableStack();
  const logFile = join(machine.tmpDir, `satyapan-bench-${process.pid}.log`);
  process.once("exit", () => rmSync(logFile, { force: true }));
  const server = opened.use(new Child({ module: new URL("http-server.ts", import.meta.url), logFile }));
  const arena: Arena = { server, origin: await server.ask<string>("listen"), concurrency, warmUpJobs };
  const redis = async (active: string): Promise<BenchRedis> => await BenchRedis.start(machine, aof, active);
  process.setMaxListeners(0); // each store and each process adds one for the end
  say("warming up");
  const contenders = new Map<SideName, Contender>();
  const enter = async (name: SideName, store: Store, side: (place: Place) => Side): Promise<Contender> => {
    const contender = opened.use(await Contender.open(arena, store, side));
    contenders.set(name, contender);
    return contender;
  };
  await enter("plain", await redis(PLAIN_ACTIVE), plainSide);
  if (flags.peers) {
    await enter("bee-queue", await redis(BEE_ACTIVE), beeSide);
    const postgres = await BenchPostgres.start(machine.tmpDir);
    if (postgres === null) say("no PostgreSQL lets us in here: graphile-worker is left out");
    else await enter("graphile-worker", postgres, graphileSide);
  }
  const satyapan = await enter("satyapan", await redis(SATYAPAN_ACTIVE), satyapanSide);
  const rounds: Round[] = [];
  for (let n = 1; n <= flags.rounds; n++) {
    const round = new Map<SideName, Measurement>();
    for (const [name, contender] of contenders) round.set(name, await measure(contender, flags));
    const bytes = new Set([...round.values()].map(({ drain }) => drain.requestBytes));
    if (bytes.size > 1) throw new Error(`the requests differ: ${[...bytes].join(" and ")} bytes`);
    const rates = [...round].map(([name, { drain }]) => `${name} ${((drain.jobs * 1_000) / drain.tookMs).toFixed(0)}`);
    say(`round ${n} of ${flags.rounds}, jobs/s: ${rates.join(", ")}`);
    rounds.push(round);
  }
  const memory = flags.memoryJobs === 0 ? null : await jobMemory(arena, await redis(SATYAPAN_ACTIVE), flags.memoryJobs);
  const summary = summarize(rounds);
  const cpu = { model: cpus()[0]?.model ?? "unknown", cores: cpus().length, node: process.version };
  process.stdout.write(
    flags.json === true
      ? `${JSON.stringify({ ...cpu, ...flags, ...summary, memory, each: rounds.map((round) => Object.fromEntries(round)) }, null, 2)}\n`
      : `\n${cpu.model}, ${cpu.cores} cores, Node ${cpu.node}, AOF ${aof ? "on" : "off"}, concurrency ${concurrency}; ` +
          `${flags.rounds} rounds of ${flags.jobs} jobs, then ${flags.latencyJobs} at ${flags.rate}/s\n\n${formatSummary(summary)}${memory === null ? "" : `\n${formatMemory(memory)}`}`,
  );
  if (flags.profile !== undefined) {
    const file = flags.profile === true ? join(machine.tmpDir, "satyapan.cpuprofile") : flags.profile;
    await satyapan.drain(flags.jobs, file);
    say(formatProfile(JSON.parse(readFileSync(file, "utf8")) as CpuProfile, flags.jobs));
    say(`The whole profile, for Chrome's DevTools: ${file}`);
  }
  return summary.met;
}

async function measure(contender: Contender, { jobs, latencyJobs, rate }: Flags): Promise<Measurement> {
  const drain = await contender.drain(jobs);
  return { drain, submitToWire: await contender.submitToWire(latencyJobs, rate) };
}

/** In a Redis of its own, so that nothing of the rounds is in it. */
async function jobMemory(arena: Arena, redis: BenchRedis, jobs: number): Promise<JobMemory> {
  await using contender = await Contender.open({ ...arena, warmUpJobs: FIRST_JOBS }, redis, satyapanSide);
  const looks = await contender.inBetween(jobs, async () => await memoryUse(redis.client));
  const [before, waiting, settled] = looks;
  await passHalfAnHour(redis.client);
  const old = await memoryUse(redis.client);
  const grown = (use: MemoryUse): MemoryUse => perJob(before, use, jobs);
  return { jobs, waiting: grown(waiting), settled: grown(settled), old: grown(old) };
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130)); // ends all children

try {
  const flags = program.parse().opts<Flags>();
  const met = await bench(flags);
  process.exitCode = flags.check === true && !met ? 1 : 0;
} catch (error) {
  if (!(error instanceof SatyapanError || error instanceof CommanderError)) throw error;
  if (error instanceof SatyapanError) process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = error instanceof CommanderError && error.exitCode === 0 ? 0 : 2;
}
