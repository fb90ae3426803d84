import { type Command, Option } from "commander";
import { parseDuration } from "../../src/base/duration.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { type CommandContext, ExitCode } from "../../src/command/context.ts";
import { LANES, type Lane } from "../../src/outcomes/lane.ts";
import type { Client } from "../client.ts";
import { challengeOver } from "../../src/challenges/refusals.ts";
import { readInput } from "../files/read-input.ts";
import type { OnboardingRecord } from "../onboardings/onboarding-record.ts";
import { formatOnboarding, formatOnboardings } from "../report/format-onboarding.ts";
import { openClient } from "./open.ts";
import { parseLimit } from "./parse-argument.ts";
import { toldWhatItIs } from "./told-id.ts";

interface Flags {
  readonly input?: string;
  readonly id?: string;
  readonly lane?: Lane;
  readonly batch?: string;
  readonly expires?: string;
  readonly traceparent?: string;
  readonly wait?: string;
  readonly json?: true;
}

const DEFAULT_LIMIT = 50;

const EXAMPLES = `
Examples:
  satyapan onboard eko.mobile --input '{"mobile":"9123456789","csp_id":"9123456789"}' --id asha --wait 30s
  satyapan otp asha
  satyapan onboard show asha

The flows, and what each takes: \`satyapan flows\`.`;

export function defineOnboard(command: Command, context: CommandContext): void {
  command
    .argument("[flow]", "its name: see `satyapan flows`")
    .option("--input <json>", "the person: JSON, @FILE, or - for standard input")
    .option("--id <key>", "your own id, at most 40 characters: the same one twice gives the first onboarding back")
    .addOption(new Option("--lane <lane>", "of its steps; default: interactive. Codes always are").choices(LANES))
    .option("--batch <name>", "seal it under a data key of its own, which `satyapan shred --batch NAME` destroys")
    .option("--expires <duration>", "from now; past it no further step is called, for example 30m")
    .option("--traceparent <text>", "your own span, as W3C Trace Context has it: its trace goes on there")
    .option("--wait <duration>", "wait until a code is awaited or it is over, at most so long, for example 30s")
    .option("--json", "print one JSON document")
    .addHelpText("after", EXAMPLES)
    .action(async (flow: string | undefined, flags: Flags) => await begin(context, flow, flags));
  command
    .command("show")
    .description("show one")
    .argument("<id>", "the onboarding's id")
    .option("--json", "print one JSON document")
    .action(async (id: string, _own: unknown, own: Command) => {
      // `--json` is an option of `onboard`, too, which reads it first.
      const flags = own.optsWithGlobals<{ readonly json?: true }>();
      await using client = openClient(context);
      const record = await toldWhatItIs(client, id, async () => await found(client, id));
      await print(context, client, record, flags);
    });
  command
    .command("list")
    .description("list those that belong to no batch, newest first")
    .option("--limit <count>", `show at most so many; default: ${DEFAULT_LIMIT}`)
    .option("--json", "print one JSON document")
    .action(async (_own: unknown, own: Command) => {
      const flags = own.optsWithGlobals<{ readonly limit?: string; readonly json?: true }>();
      await using client = openClient(context);
      const records = await client.onboardings.list({ limit: parseLimit(flags.limit) ?? DEFAULT_LIMIT });
      context.stdout.write(flags.json ? `${JSON.stringify(records)}\n` : formatOnboardings(records));
    });
  command
    .command("cancel")
    .description("have one end before its next step; a call that is under way ends truthfully")
    .argument("<id>", "the onboarding's id")
    .requiredOption("--reason <text>", "why; kept in clear, so nothing personal")
    .option("--json", "print one JSON document")
    .action(async (id: string, _own: unknown, own: Command) => {
      const flags = own.optsWithGlobals<{ readonly reason: string; readonly json?: true }>();
      await using client = openClient(context);
      const cancel = async (): Promise<OnboardingRecord> => await client.onboardings.cancel(id, flags);
      await print(context, client, await toldWhatItIs(client, id, cancel), flags);
    });
}

async function begin(context: CommandContext, flow: string | undefined, flags: Flags): Promise<void> {
  if (flow === undefined || flags.input === undefined) {
    throw new SatyapanError(
      ErrorCode.BAD_USAGE,
      "give a flow and the person: satyapan onboard FLOW --input JSON|@FILE|-",
    );
  }
  const { id, lane, batch, expires, wait, traceparent } = flags;
  const waitMs = wait === undefined ? null : parseDuration(wait, "--wait", ErrorCode.BAD_USAGE);
  const expiresIn = expires === undefined ? undefined : parseDuration(expires, "--expires", ErrorCode.BAD_USAGE);
  await using client = openClient(context);
  const input = await readInput(flags.input, context);
  const begun = await client.onboardings.beginUnchecked(flow, input, {
    ...(id === undefined ? {} : { id }),
    ...(lane === undefined ? {} : { lane }),
    ...(batch === undefined ? {} : { batch }),
    ...(expiresIn === undefined ? {} : { expiresIn }),
    ...(traceparent === undefined ? {} : { traceparent }),
  });
  const record = waitMs === null ? begun : await waited(context, client, begun, waitMs);
  await print(context, client, record, flags);
  if (waitMs !== null && record.state !== "succeeded" && record.state !== "awaiting_otp") {
    context.exit(ExitCode.NOT_SUCCEEDED);
  }
}

/** Until somebody has to do something, or it is over; where it stands when the time is up or Ctrl-C was pressed. */
async function waited(
  { signal, stderr }: CommandContext,
  client: Client,
  begun: OnboardingRecord,
  timeoutMs: number,
): Promise<OnboardingRecord> {
  const mark = begun.duplicate === true ? { duplicate: true as const } : {};
  try {
    const isThere = ({ state }: OnboardingRecord): boolean => state !== "running";
    return { ...(await client.onboardings.waitUntil(begun.id, isThere, { timeoutMs, signal })), ...mark };
  } catch (error) {
    if (!(error instanceof SatyapanError) || error.code !== ErrorCode.WAIT_TIMEOUT) throw error;
    const { id } = begun;
    stderr.write(`satyapan: onboarding ${id} goes on without this command: see \`satyapan onboard show ${id}\`\n`);
    return { ...((await client.onboardings.get(id)) ?? begun), ...mark };
  }
}

/** Throws SatyapanError `unknown-job`. */
async function found(client: Client, id: string): Promise<OnboardingRecord> {
  const record = await client.onboardings.get(id);
  if (record === null) throw challengeOver(id, { kind: "missing" });
  return record;
}

async function print(
  { stdout }: CommandContext,
  client: Client,
  record: OnboardingRecord,
  { json }: { readonly json?: true },
): Promise<void> {
  if (json === true) stdout.write(`${JSON.stringify(record)}\n`);
  else stdout.write(formatOnboarding(record, record.state === "running" ? await whyItRuns(client, record) : null));
}

/** Why its step is not done yet. */
async function whyItRuns(client: Client, { job }: OnboardingRecord): Promise<string> {
  const explanation = await client.explain(job);
  return explanation?.text ?? "its step's job is not made yet: a `satyapan worker` makes it";
}
