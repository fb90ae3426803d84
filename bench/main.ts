import { readFileSync, rmSync } from "node:fs";
import { cpus, homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { readEnvironment } from "../src/config/environment.ts";
import { SatyapanError } from "../src/base/error.ts";
import { machineFrom } from "../src/redis/embedded/machine.ts";
import { Child } from "./child.ts";
import { type Arena, Contender } from "./contender.ts";
import { type CpuProfile, formatProfile } from "./cpu-profile.ts";
import { wholeNumber } from "./options.ts";
import { plainSide } from "./plain-side.ts";
import { formatSummary, type Measurement, type Round, summarize } from "./report.ts";
import { satyapanSide } from "./satyapan-side.ts";

// Plain BullMQ + undici against the whole of Satyapan: same machine, same run, by turns (design §8).

interface Flags {
  readonly rounds: number;
  readonly jobs: number;
  readonly latencyJobs: number;
  readonly rate: number;
  readonly concurrency: number;
  readonly warmUpJobs: number;
  readonly aof: boolean;
  readonly json?: true;
  readonly check?: true;
  readonly profile?: string | true;
}

const program = new Command("bench")
  .description("plain BullMQ + undici against the whole of Satyapan, by turns on this machine")
  .option("--rounds <n>", "turns of both sides", wholeNumber(1, 100), 7)
  // More would take so long to submit that connections of the frozen worker run out.
  .option("--jobs <n>", "jobs of each side and round that are drained", wholeNumber(100, 20_000), 8_000)
  .option("--latency-jobs <n>", "jobs submitted one by one", wholeNumber(100, 20_000), 600)
  .option("--rate <n>", "of those, per second", wholeNumber(1, 2_000), 200)
  .option("--concurrency <n>", "jobs at once in a worker", wholeNumber(1, 1_000), 50)
  // V8 compiles until a worker has seen about so many, and takes twice the CPU time meanwhile.
  .option("--warm-up-jobs <n>", "jobs of each side before the first round", wholeNumber(0, 100_000), 16_000)
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
  const arena: Arena = { machine, server, origin: await server.ask<string>("listen"), aof, concurrency, warmUpJobs };
  say("warming up");
  const plain = opened.use(await Contender.open(arena, plainSide));
  const satyapan = opened.use(await Contender.open(arena, satyapanSide));
  const rounds: Round[] = [];
  for (let n = 1; n <= flags.rounds; n++) {
    const round = { plain: await measure(plain, flags), satyapan: await measure(satyapan, flags) };
    const [bytes, others] = [round.plain.drain.requestBytes, round.satyapan.drain.requestBytes];
    if (bytes !== others) throw new Error(`the requests differ: ${bytes} and ${others} bytes`);
    const [one, other] = [round.plain, round.satyapan].map(({ drain }) => (drain.jobs * 1_000) / drain.tookMs);
    say(`round ${n} of ${flags.rounds}: plain ${one?.toFixed(0)} jobs/s, satyapan ${other?.toFixed(0)} jobs/s`);
    rounds.push(round);
  }
  const summary = summarize(rounds);
  const cpu = { model: cpus()[0]?.model ?? "unknown", cores: cpus().length, node: process.version };
  process.stdout.write(
    flags.json === true
      ? `${JSON.stringify({ ...cpu, ...flags, ...summary, each: rounds }, null, 2)}\n`
      : `\n${cpu.model}, ${cpu.cores} cores, Node ${cpu.node}, AOF ${aof ? "on" : "off"}, concurrency ${concurrency}; ` +
          `${flags.rounds} rounds of ${flags.jobs} jobs, then ${flags.latencyJobs} at ${flags.rate}/s\n\n${formatSummary(summary)}`,
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
