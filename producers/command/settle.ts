import { Argument, type Command } from "commander";
import { type CommandContext, ExitCode } from "../../src/command/context.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { formatRecord } from "../report/format-record.ts";
import { startProgress } from "../report/progress.ts";
import type { JobRecord } from "../../src/records/record.ts";
import { checkSettling, SETTLE_DECISIONS, type SettleDecision } from "../jobs/settle.ts";
import { openClient } from "./open.ts";
import { toldWhatItIs } from "./told-id.ts";
import { parseSince } from "./parse-argument.ts";
import { counted } from "../report/counted.ts";

interface Flags {
  readonly reason: string;
  readonly allLike?: true;
  readonly since?: string;
  readonly dryRun?: true;
  readonly json?: true;
}

const DECISIONS = `
Decisions:
  succeeded  the provider did it: ask them by the attempt's client_ref_id
  rejected   it did not happen, and shall not
  resend     make one more attempt, after what is left of the person's cooldown

With --all-like every job that became unknown as this one did is decided: of its operation, with the same reply and reason.
\`satyapan unknown list\` shows which wait for a decision.`;

export function defineSettle(command: Command, context: CommandContext): void {
  command
    .argument("<id>", "the job's id")
    .addArgument(new Argument("<decision>").choices(SETTLE_DECISIONS))
    .requiredOption("--reason <text>", "why; kept with the record in clear, so nothing personal")
    .option("--all-like", "and all that became unknown as this one did")
    .option("--since <time>", "with --all-like: only those that ended since: 2h (ago), 2026-01-15T10:00:00+05:30")
    .option("--dry-run", "with --all-like: only count them")
    .option("--json", "print one JSON document")
    .addHelpText("after", DECISIONS)
    .action(async (id: string, decision: SettleDecision, flags: Flags) => {
      checkSettling(decision, flags);
      if (flags.allLike) {
        await settleLike(context, id, decision, flags);
        return;
      }
      const alone = flags.dryRun ? "--dry-run" : flags.since === undefined ? null : "--since";
      if (alone !== null) throw new SatyapanError(ErrorCode.BAD_USAGE, `${alone} is for --all-like`);
      await using client = openClient(context);
      const settle = async (): Promise<JobRecord> => await client.settle(id, decision, { reason: flags.reason });
      const record = await toldWhatItIs(client, id, settle);
      context.stdout.write(flags.json ? `${JSON.stringify(record)}\n` : formatRecord(record));
    });
}

async function settleLike(
  context: CommandContext,
  id: string,
  decision: SettleDecision,
  { reason, since, dryRun, json }: Flags,
): Promise<void> {
  const { stdout, stderr, signal } = context;
  const from = parseSince(since, context.now());
  await using client = openClient(context);
  let matching = 0;
  await toldWhatItIs(client, id, async () => {
    for await (const _ of client.unknown.like(id, from)) matching += 1;
  });
  if (dryRun) {
    const text = `${counted(matching, "unknown job")} would be settled as ${decision}\n`;
    stdout.write(json ? `${JSON.stringify({ settled: 0, matching })}\n` : text);
    return;
  }
  const progress = startProgress(stderr, "settled", matching);
  let settled: number;
  try {
    const onDone = (done: number): void => progress.update(done);
    settled = await client.unknown.settleLike(id, decision, { reason, since: from, signal, onDone });
  } finally {
    progress.stop();
  }
  if (signal.aborted) {
    stderr.write("satyapan: stopped; name one of those that are left to go on\n");
    context.exit(ExitCode.NOT_SUCCEEDED);
  }
  const text = `${counted(settled, "job")} settled as ${decision}\n`;
  stdout.write(json ? `${JSON.stringify({ settled, matching })}\n` : text);
}
