import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import type { CommandContext } from "../src/command/context.ts";
import { parseDuration } from "../src/base/duration.ts";
import { ErrorCode, SatyapanError } from "../src/base/error.ts";
import { parseQuota } from "../src/limits/parse-quota.ts";
import type { ConfigurationPatch } from "./configuration.ts";
import { exportLines } from "./credentials.ts";
import { seededRandom } from "./draw.ts";
import { formatEndings } from "./format-endings.ts";
import { type Simulator, type SimulatorOptions, startSimulator } from "./simulator.ts";

interface Flags {
  readonly port: string;
  readonly host: string;
  readonly seed?: string;
  readonly publicKeyOut?: string;
  readonly ekoQuota?: string;
  readonly deepvueQuota?: string;
  readonly pendingWindow: string;
  readonly log?: true;
}

/** What the command needs of its process. */
export type SimulatorContext = Pick<CommandContext, "stdout" | "stderr" | "signal">;

/** `satyapan simulator`: runs until its signal aborts (SIGINT, SIGTERM). */
export function defineSimulator(command: Command, context: SimulatorContext): void {
  command
    .option("--port <number>", "port to listen on; 0 takes a free one", "4010")
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--seed <number>", "draw the same OTPs and references every time")
    .option("--public-key-out <file>", "write the key that AePS Aadhaar numbers are encrypted with (base64 SPKI)")
    .option("--eko-quota <windows>", "answer 429 beyond it, for example 10/1s (default: no limit)")
    .option("--deepvue-quota <windows>", "answer 429 beyond it, for example 1/1s,30/1m (default: no limit)")
    .option("--pending-window <duration>", "how long Deepvue answers 409 after an OTP for one Aadhaar", "60s")
    .option("--log", "one line per request on stderr: operation, status, time, fault")
    .action(async (flags: Flags) => {
      await using simulator = await startSimulator(optionsOf(flags, context));
      if (flags.publicKeyOut !== undefined) writeKey(flags.publicKeyOut, simulator);
      context.stdout.write(greeting(simulator));
      await aborted(context.signal);
    });
}

/** @throws {SatyapanError} naming the option that cannot be read. */
function optionsOf(flags: Flags, { stderr }: SimulatorContext): SimulatorOptions {
  const configuration: ConfigurationPatch = {
    quotas: {
      eko: flags.ekoQuota === undefined ? [] : [...parseQuota(flags.ekoQuota, "--eko-quota")],
      deepvue: flags.deepvueQuota === undefined ? [] : [...parseQuota(flags.deepvueQuota, "--deepvue-quota")],
    },
    pendingWindowMs: parseDuration(flags.pendingWindow, "--pending-window", ErrorCode.BAD_USAGE),
  };
  return {
    port: wholeNumber(flags.port, "--port", 65_535),
    host: flags.host,
    configuration,
    ...(flags.seed === undefined ? {} : { random: seededRandom(wholeNumber(flags.seed, "--seed", 2 ** 32 - 1)) }),
    ...(flags.log === true ? { log: (line) => stderr.write(`${line}\n`) } : {}),
  };
}

function wholeNumber(text: string, option: string, max: number): number {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (number <= max) return number;
  throw new SatyapanError(ErrorCode.BAD_USAGE, `${option} must be a whole number from 0 to ${max}, not "${text}".`);
}

function writeKey(file: string, simulator: Simulator): void {
  try {
    writeFileSync(file, `${simulator.env.EKO_AADHAAR_PUBLIC_KEY}\n`);
  } catch (cause) {
    throw new SatyapanError(ErrorCode.BAD_FILE, `--public-key-out: ${file} cannot be written.`, { cause });
  }
}

function greeting({ url, env }: Simulator): string {
  return `Satyapan simulator: a stand-in for Eko and Deepvue. Made-up people, no SMS, no money.
Listening on ${url} until Ctrl-C.

Copy these lines into the shell that runs \`satyapan worker\`:

${exportLines(env)}
What phones received:   curl "${url}/_simulator/outbox?to=NUMBER"   (newest first; NUMBER is an Aadhaar or mobile number)
What was asked:         curl "${url}/_simulator/requests"   and   curl "${url}/_simulator/stats"
These lines again:      curl "${url}/_simulator/environment"

Any number goes well, unless its last three digits are one of these:

${formatEndings()}
`;
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
