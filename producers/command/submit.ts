import { type Command, Option } from "commander";
import { parseDuration } from "../../src/base/duration.ts";
import { type CommandContext, ExitCode } from "../../src/command/context.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { JobRecord } from "../../src/records/record.ts";
import { LANES } from "../../src/outcomes/lane.ts";
import { isTerminal } from "../../src/outcomes/state.ts";
import type { Client, SubmitOptions } from "../client.ts";
import { Patience, type PatienceOptions } from "../base/patience.ts";
import { readInput } from "../files/read-input.ts";
import { IF_PENDING } from "../jobs/open-challenges.ts";
import { formatRecord } from "../report/format-record.ts";
import { stillOpen } from "../report/still-open.ts";
import { openClient } from "./open.ts";
import { whyOpen } from "./why-open.ts";
import { submitEach } from "./submit-each.ts";
import type { SubmitFlags } from "./submit-flags.ts";

const EXAMPLES = `
Examples:
  satyapan submit eko.mobile-otp --input '{"mobile":"9123456789","csp_id":"9123456789"}' --id order-1 --wait 30s
  satyapan submit eko.mobile-otp.verify --input '{"of":"order-1","otp":"123456"}' --wait 30s
  satyapan submit eko.mobile-otp --each numbers.csv --id batch-1

What else an operation takes: \`satyapan operations NAME\`.`;

export function defineSubmit(command: Command, context: CommandContext): void {
  command
    .argument("<operation>", "its name: see `satyapan operations`")
    .addOption(new Option("--input <json>", "the input: JSON, @FILE, or - for standard input").conflicts("each"))
    .option(
      "--each <file>",
      "one job per row of FILE.csv (header = field names) or FILE.ndjson, or of - for standard input, where a first { means NDJSON; all rows are checked first",
    )
    .option(
      "--id <key>",
      "your own id: the same one twice gives the first job back; with --each the rows get KEY-1, KEY-2, …",
    )
    .option("--batch <name>", "seal them under a data key of their own, which `satyapan shred --batch NAME` destroys")
    .addOption(new Option("--lane <lane>", "default: interactive, with --each bulk").choices(LANES))
    .option("--expires <duration>", "from now; past it the job is not called any more, for example 10m")
    .addOption(
      new Option(
        "--if-pending <what>",
        "while an OTP to the same person is open or still to be sent: wait to send another, or reuse gives that job back",
      ).choices(IF_PENDING),
    )
    .option(
      "--retry-for <duration>",
      "go on by itself so long while Redis is away, fails over or refuses to write; nothing is submitted twice by it, 0 for not at all",
      "60s",
    )
    .option("--traceparent <text>", "your own span, as W3C Trace Context has it: the job's trace goes on there")
    .option("--wait <duration>", "wait for the end, at most so long, for example 30s")
    .option("--json", "print one JSON document")
    .addHelpText("after", EXAMPLES)
    .action(async (operation: string, flags: SubmitFlags) => {
      if (flags.input === undefined && flags.each === undefined) {
        throw new SatyapanError(
          ErrorCode.BAD_USAGE,
          "give the job's input with --input, or a file of inputs with --each",
        );
      }
      const waitMs = durationFlag(flags.wait, "--wait") ?? null;
      const options = { ...submitOptions(flags), ...patienceOptions(flags, context) };
      await using client = openClient(context);
      if (flags.each === undefined) await submitOne(context, client, operation, flags, options, waitMs);
      else await submitEach(context, client, operation, { ...flags, each: flags.each }, options, waitMs);
    });
}

function submitOptions({ id, batch, lane, expires, ifPending, traceparent }: SubmitFlags): SubmitOptions {
  const expiresIn = durationFlag(expires, "--expires");
  return {
    ...(id === undefined ? {} : { id }),
    ...(batch === undefined ? {} : { batch }),
    ...(lane === undefined ? {} : { lane }),
    ...(expiresIn === undefined ? {} : { expiresIn }),
    ...(ifPending === undefined ? {} : { ifPending }),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}

/** Ctrl-C ends it at once, and it says when it has to wait. */
function patienceOptions({ retryFor = "0" }: SubmitFlags, { stderr, signal }: CommandContext): PatienceOptions {
  const retryForMs = retryFor === "0" ? 0 : parseDuration(retryFor, "--retry-for", ErrorCode.BAD_USAGE);
  const onRetry = (why: string, until: Date): void => {
    // On a terminal it takes the line of the bar, which is drawn again below.
    const clear = stderr.isTTY === true ? "\r\u001B[K" : "";
    stderr.write(`${clear}satyapan: ${why}; tried again until ${until.toISOString()} (--retry-for)\n`);
  };
  return { retryForMs, onRetry, signal };
}

/** Milliseconds. */
function durationFlag(text: string | undefined, name: string): number | undefined {
  return text === undefined ? undefined : parseDuration(text, name, ErrorCode.BAD_USAGE);
}

async function submitOne(
  context: CommandContext,
  client: Client,
  operation: string,
  flags: SubmitFlags,
  options: SubmitOptions,
  waitMs: number | null,
): Promise<void> {
  const input = await readInput(flags.input ?? "", context);
  let record = await client.submitUnchecked(operation, input, options);
  if (waitMs !== null) record = await waited(context, client, record, options, waitMs);
  context.stdout.write(flags.json ? `${JSON.stringify(record)}\n` : formatRecord(record));
  if (waitMs !== null && record.state !== "succeeded") context.exit(ExitCode.NOT_SUCCEEDED);
}

/** The time is up, or somebody pressed Ctrl-C. */
const OVER: ReadonlySet<string> = new Set([ErrorCode.WAIT_TIMEOUT, ErrorCode.INTERRUPTED]);

/** The record at the end, or where it stands when the time is up or somebody pressed Ctrl-C. */
async function waited(
  { signal, stderr, now }: CommandContext,
  client: Client,
  submitted: JobRecord,
  options: PatienceOptions,
  timeoutMs: number,
): Promise<JobRecord> {
  const { duplicate, reused } = submitted;
  let record: JobRecord;
  try {
    record = await client.waitFor(submitted.id, { timeoutMs, signal, patience: new Patience(options, now) });
  } catch (error) {
    if (error instanceof SatyapanError && error.code === ErrorCode.UNKNOWN_JOB) throw lost(submitted.id, error);
    const isOver = error instanceof SatyapanError && OVER.has(error.code);
    if (!isOver) throw error;
    record = (await client.get(submitted.id)) ?? submitted;
    if (!isTerminal(record.state)) {
      stderr.write(`satyapan: ${stillOpen(record, 1, await whyOpen(client, record.id))}\n`);
    }
  }
  return { ...record, ...(duplicate === true ? { duplicate } : {}), ...(reused === true ? { reused } : {}) };
}

/** It was accepted a moment ago: Redis was killed, or lost its disk, before it had written it. */
function lost(id: string, cause: SatyapanError): SatyapanError {
  const text = `job ${id} was accepted, and Redis has it no more: it lost what it had not written yet; submit it again`;
  return new SatyapanError(cause.code, text, { cause });
}
