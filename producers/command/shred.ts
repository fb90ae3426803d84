import type { Command } from "commander";
import { type CommandContext, ExitCode } from "../../src/command/context.ts";
import { parseDuration } from "../../src/base/duration.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { DiskPurge } from "../keys/disk-purge.ts";
import { type Shredded, type ShredPlan, Shredding, type ShredTarget } from "../keys/shredding.ts";
import { openClient, OpenKeys } from "./open.ts";
import { isStopped, passProgress } from "./pass-progress.ts";
import { counted } from "../report/counted.ts";

interface Flags {
  readonly batch?: string;
  readonly job?: string;
  readonly olderThan?: string;
  readonly yes?: true;
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  satyapan shred --older-than 30d         says what would be destroyed
  satyapan shred --older-than 30d --yes   destroys it
  satyapan shred --job order-17 --yes     one job's; seals what shares its data key anew first

What was destroyed is gone: from Redis, from its AOF, and (with KEYS_REDIS_URL) from every backup of the jobs' Redis.
Without KEYS_REDIS_URL, a backup from before opens until its wrapping key is rotated and taken away: docs/privacy.md.`;

export function defineShred(command: Command, context: CommandContext): void {
  command
    .option(
      "--batch <name>",
      "what was sealed for this batch: its id, your own id for it, its name, or that of `submit --batch`",
    )
    .option("--job <id>", "what this job's record holds")
    .option("--older-than <duration>", "of days that ended, and batches that began, longer ago: 30d")
    .option("--yes", "do it")
    .option("--json", "print one JSON document")
    .addHelpText("after", EXAMPLES)
    .action(async (flags: Flags) => {
      const given = targetOf(flags);
      await using opened = new OpenKeys(context);
      const shredding = new Shredding(opened.use);
      const target = await withId(context, shredding, given);
      if (flags.yes) await shred(context, shredding, target, flags);
      else await plan(context, shredding, target, flags);
    });
}

async function plan(
  context: CommandContext,
  shredding: Shredding,
  target: ShredTarget,
  { json }: Flags,
): Promise<void> {
  using progress = passProgress(context, "looking through jobs");
  const found = await shredding.plan(target, progress.options);
  progress.stop();
  if (isStopped(context)) return;
  const { dataKeys, ...counts } = found;
  const document = { ...counts, data_keys: dataKeys.map(({ id, scope }) => ({ id, scope })) };
  context.stdout.write(json ? `${JSON.stringify(document)}\n` : formatPlan(found));
}

async function shred(
  context: CommandContext,
  shredding: Shredding,
  target: ShredTarget,
  { json }: Flags,
): Promise<void> {
  const { stdout, stderr, exit } = context;
  using progress = passProgress(context, "sealing other jobs anew");
  const shredded = await shredding.shred(target, progress.options);
  progress.stop();
  stdout.write(json ? `${JSON.stringify(shredded)}\n` : formatShredded(shredded));
  if (isStopped(context)) return;
  const problems = [
    ...(shredded.again ? ["something more was sealed for this job meanwhile: shred it again"] : []),
    ...(shredded.disk === null ? [] : diskProblems(shredded.disk)),
  ];
  for (const problem of problems) stderr.write(`satyapan: ${problem}\n`);
  if (problems.length > 0) exit(ExitCode.NOT_SUCCEEDED);
}

function targetOf({ batch, job, olderThan }: Flags): ShredTarget {
  const targets: ShredTarget[] = [];
  if (batch !== undefined) targets.push({ kind: "batch", name: batch });
  if (job !== undefined) targets.push({ kind: "job", id: job });
  if (olderThan !== undefined)
    targets.push({ kind: "older", thanMs: parseDuration(olderThan, "--older-than", ErrorCode.BAD_USAGE) });
  const [target] = targets;
  if (target !== undefined && targets.length === 1) return target;
  throw new SatyapanError(ErrorCode.BAD_USAGE, "give one of --batch, --job and --older-than");
}

/** A batch of a file is sealed under its id: told by another name, it is looked up, and the id is said. */
async function withId(context: CommandContext, shredding: Shredding, target: ShredTarget): Promise<ShredTarget> {
  if (target.kind !== "batch" || (await shredding.isSealedFor(target.name))) return target;
  await using client = openClient(context);
  try {
    const { id } = await client.batches.show(target.name);
    context.stderr.write(`satyapan: that is batch ${id}\n`);
    return { kind: "batch", name: id };
  } catch (error) {
    if (error instanceof SatyapanError && error.code === ErrorCode.UNKNOWN_BATCH) return target;
    throw error;
  }
}

function formatPlan({ dataKeys, jobs, open, others }: ShredPlan): string {
  if (dataKeys.length === 0) return "nothing to destroy\n";
  const lines = [
    `${counted(dataKeys.length, "data key")} would be destroyed; ${counted(jobs, "job")} could be opened by nobody any more`,
    ...(open > 0
      ? [`${counted(open, "job")} of these not settled yet: ${open === 1 ? "it" : "they"} will fail as \`shredded\``]
      : []),
    ...(others > 0 ? [`${counted(others, "other job")} would be sealed anew first`] : []),
    "nothing was done; --yes does it",
  ];
  return `${lines.join("\n")}\n`;
}

function formatShredded({ destroyed, resealed }: Shredded): string {
  const others = resealed > 0 ? `; ${counted(resealed, "sealed field")} of other jobs sealed anew` : "";
  return `${counted(destroyed, "data key")} destroyed${others}\n`;
}

/** What a person still has to do, where files may hold what was destroyed. */
function diskProblems({ aof, snapshot, replicas }: DiskPurge): string[] {
  const problems: string[] = [];
  const state = (ending: DiskPurge["aof"]): string => (ending === "failed" ? "failed: see its log" : "is not allowed");
  if (aof !== "off" && aof !== "rewritten")
    problems.push(`rewriting the AOF ${state(aof)}; until BGREWRITEAOF it holds the destroyed keys, wrapped`);
  if (snapshot !== "off" && snapshot !== "rewritten")
    problems.push(
      `writing a new snapshot ${state(snapshot)}; until BGSAVE the old one holds the destroyed keys, wrapped`,
    );
  if (replicas > 0)
    problems.push(`${counted(replicas, "replica")} of that Redis: do BGREWRITEAOF (and BGSAVE) there, too`);
  return problems;
}
