import type { Command } from "commander";
import { parseDuration } from "../../src/base/duration.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { type CommandContext, ExitCode } from "../../src/command/context.ts";
import type { JobRecord } from "../../src/records/record.ts";
import type { Client } from "../client.ts";
import { readLine } from "../files/read-input.ts";
import type { ChallengeRecord } from "../onboardings/onboarding-record.ts";
import type { AnswerRecord } from "../onboardings/codes.ts";
import { openClient } from "./open.ts";
import { toldWhatItIs } from "./told-id.ts";

interface Flags {
  readonly resend?: true;
  readonly wait: string;
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  satyapan otp asha 123456
  satyapan otp asha            reads the code from standard input: it is in no shell history
  satyapan otp asha --resend   sends another code, once the cooldown is over`;

export function defineOtp(command: Command, context: CommandContext): void {
  command
    .argument("<id>", "an onboarding's id, or that of a job that sent an OTP")
    .argument("[code]", "the code; absent or -: the first line of standard input")
    .option("--resend", "send another code in the place of the one that is awaited")
    .option("--wait <duration>", "wait for what comes of it, at most so long; 0 for not at all", "30s")
    .option("--json", "print one JSON document")
    .addHelpText("after", EXAMPLES)
    .action(async (id: string, code: string | undefined, flags: Flags) => {
      const waitMs = flags.wait === "0" ? 0 : parseDuration(flags.wait, "--wait", ErrorCode.BAD_USAGE);
      if (flags.resend === true && code !== undefined) {
        throw new SatyapanError(ErrorCode.BAD_USAGE, "give a code, or --resend: not both");
      }
      await using client = openClient(context);
      const work = async (): Promise<void> =>
        flags.resend === true
          ? await resend(context, client, id, waitMs, flags)
          : await answer(context, client, id, await codeFrom(context, code), waitMs, flags);
      await toldWhatItIs(client, id, work);
    });
}

async function codeFrom(context: CommandContext, code: string | undefined): Promise<string> {
  if (code !== undefined && code !== "-") return code;
  const line = await readLine(context, "code");
  if (line === "") throw new SatyapanError(ErrorCode.BAD_INPUT, "code: none came on standard input");
  return line;
}

async function answer(
  context: CommandContext,
  client: Client,
  id: string,
  code: string,
  waitMs: number,
  { json }: Flags,
): Promise<void> {
  const given = await client.answer(id, code);
  const verified = given.verify === null ? null : await verifiedBy(context, client, given.verify, waitMs);
  const isOpen = verified === null || verified.state === "succeeded" ? null : await client.onboardings.challenge(id);
  if (json === true) {
    context.stdout.write(
      `${JSON.stringify({ ...given, state: verified?.state ?? null, reason: verified?.reason ?? null, challenge: isOpen })}\n`,
    );
  } else context.stdout.write(`${saidOf(given, verified, isOpen)}\n`);
  if (verified !== null && waitMs > 0 && verified.state !== "succeeded") context.exit(ExitCode.NOT_SUCCEEDED);
}

/** How the verify ended, or where it stands when the time is up. */
async function verifiedBy(
  { signal }: CommandContext,
  client: Client,
  verify: string,
  waitMs: number,
): Promise<JobRecord | null> {
  if (waitMs === 0) return await client.get(verify);
  try {
    return await client.waitFor(verify, { timeoutMs: waitMs, signal });
  } catch (error) {
    if (!(error instanceof SatyapanError) || error.code !== ErrorCode.WAIT_TIMEOUT) throw error;
    return await client.get(verify);
  }
}

function saidOf(
  { id, answer: how, verify }: AnswerRecord,
  verified: JobRecord | null,
  challenge: ChallengeRecord | null,
): string {
  if (how === "kept") return `${id}: its OTP is still to be sent; the code is kept sealed, and given once it is`;
  const same = how === "same" ? ", as it was given before" : "";
  const state = verified?.state ?? "queued";
  if (state === "succeeded") return `${id}: the code is right${same} (job ${verify ?? ""})`;
  const why = verified?.reason === undefined || verified.reason === null ? "" : `: ${verified.reason}`;
  const left = challenge?.state === "open" ? `; ${challenge.tries_left} more may be tried` : "";
  return `${id}: the verify is ${state}${same}${why} (job ${verify ?? ""})${left}`;
}

async function resend(
  context: CommandContext,
  client: Client,
  id: string,
  waitMs: number,
  { json }: Flags,
): Promise<void> {
  const { send } = await client.resend(id);
  const sent = await verifiedBy(context, client, send, waitMs);
  const state = sent?.state ?? "queued";
  if (json === true) context.stdout.write(`${JSON.stringify({ id, send, state, reason: sent?.reason ?? null })}\n`);
  else {
    const why = sent?.reason === undefined || sent.reason === null ? "" : `: ${sent.reason}`;
    const text =
      state === "succeeded" ? "another code was sent; only that one counts" : `another send is ${state}${why}`;
    context.stdout.write(`${id}: ${text} (job ${send})\n`);
  }
  if (waitMs > 0 && state !== "succeeded") context.exit(ExitCode.NOT_SUCCEEDED);
}
