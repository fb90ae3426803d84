import { type Command, Option } from "commander";
import { parseDuration } from "../../src/base/duration.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { BatchView } from "../../src/batches/batch.ts";
import type { CommandContext } from "../../src/command/context.ts";
import type { DuplicateRow } from "../batches/batch-rows.ts";
import type { Client } from "../client.ts";
import type { FileCheck } from "../imports/check-file.ts";
import { mapFlag, parseMap } from "../imports/column-plan.ts";
import { BadFileError, type FileBatchView, type SubmitFileOptions } from "../imports/file-batches.ts";
import { formatProblems } from "../imports/format-check.ts";
import { importTarget } from "../imports/import-target.ts";
import { formatBatch } from "../report/format-batch.ts";
import { type Progress, startCount, startProgress } from "../report/progress.ts";
import { addFileFlags, type FileFlags, sourceOf } from "./batch-flags.ts";
import { submitRepairs } from "./batch-repair.ts";
import { openClient } from "./open.ts";
import { parseCount } from "./parse-argument.ts";

interface SubmitFlags extends FileFlags {
  readonly name?: string;
  readonly tenant?: string;
  readonly id?: string;
  readonly skipBad?: true;
  readonly stopAt?: string;
  readonly weight?: string;
  readonly expires?: string;
  readonly open?: string;
  readonly resends?: string;
  readonly repairs?: string;
  readonly json?: true;
}

/** What a batch that is there has already. */
const OWN_TERMS = [
  "flow",
  "operation",
  "ref",
  "name",
  "tenant",
  "id",
  "skipBad",
  "stopAt",
  "weight",
  "expires",
  "open",
  "resends",
];

/** Rows that are named of those that are not called. */
const NAMED = 5;

/** `batch submit FILE`: every row is checked before any is accepted, and then all are, or none. */
export function defineBatchSubmit(command: Command, context: CommandContext): void {
  addFileFlags(command.argument("<file>", "CSV or NDJSON, also packed with gzip; - for standard input"))
    .option("--name <name>", "what people call it; default: the day and time")
    .option("--tenant <tenant>", "whose it is: tenants share what there is before their batches do")
    .option("--id <key>", "your own id: the same one twice gives the first batch back; default: its content")
    .option("--skip-bad", "leave bad rows out, and write them to a file beside this one, ready to mend")
    .option("--stop-at <share>", "stop by itself when more of its rows failed or were rejected: 30%, or never")
    .option("--weight <number>", "its share against its tenant's other batches, 0.01 to 100")
    .option("--expires <duration>", "a row's deadline from when it is handed to the queue, for example 2h")
    .option("--open <count>", "of a flow: at most so many codes are awaited at once")
    .option("--resends <count>", "of a flow: a row whose code nobody gave goes back to the end so often, 0 to 2")
    .addOption(
      new Option("--repairs <batch>", "take back rows of that batch: a file of `batch results`, mended").conflicts(
        OWN_TERMS,
      ),
    )
    .option("--json", "print one JSON document")
    .action(async (path: string, { repairs, ...flags }: SubmitFlags) => {
      if (repairs !== undefined) {
        await submitRepairs(context, path, { ...flags, repairs });
        return;
      }
      await using client = openClient(context);
      const view = await submitted(context, client, path, flags);
      const duplicates = await firstDuplicates(client, view);
      context.stdout.write(
        flags.json ? `${JSON.stringify({ ...view, duplicates })}\n` : formatSubmitted(view, duplicates, context.now()),
      );
    });
}

async function submitted(
  context: CommandContext,
  client: Client,
  path: string,
  flags: SubmitFlags,
): Promise<FileBatchView> {
  const { stderr } = context;
  const options = submitOptions(flags);
  const [source, { called, signal }] = sourceOf(context, path);
  const counter = startCount(stderr, "rows checked");
  const accepted: { bar: Progress | null; bad: number } = { bar: null, bad: 0 };
  try {
    const view = await client.batches.submitFile(source, {
      ...{ ...options, called, signal, skipBad: flags.skipBad === true, badFile: true },
      onChecking: (rows) => counter.update(rows),
      onChecked: ({ rows, bad }) => {
        counter.stop();
        accepted.bar = startProgress(stderr, "accepted", rows);
        accepted.bad = bad;
      },
      onAccepted: (rows) => accepted.bar?.update(rows),
    });
    accepted.bar?.stop();
    if (view.bad_file !== null) {
      stderr.write(
        `satyapan: the bad rows (${accepted.bad}) are in ${view.bad_file}: mend them there, and submit that file\n`,
      );
    }
    return view;
  } catch (error) {
    if (accepted.bar === null) counter.stop();
    accepted.bar?.stop();
    throw error instanceof BadFileError ? refusal(error.check, flags) : error;
  }
}

function submitOptions(flags: SubmitFlags): SubmitFileOptions {
  const { map, ref, name, tenant, id, stopAt, weight, expires, open, resends } = flags;
  const target = importTarget(flags);
  return {
    ...(target.kind === "flow" ? { flow: target.name } : { operation: target.name }),
    map: Object.fromEntries(parseMap(map.map(mapFlag), target)),
    ...(ref === undefined ? {} : { ref }),
    ...(name === undefined ? {} : { name }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(id === undefined ? {} : { id }),
    ...(stopAt === undefined ? {} : { stopAt: shareFlag(stopAt) }),
    ...(weight === undefined ? {} : { weight: Number(weight) }),
    ...(open === undefined ? {} : { open: parseCount(open, "--open") }),
    ...(resends === undefined ? {} : { resends: parseCount(resends, "--resends") }),
    ...(expires === undefined ? {} : { expiresIn: parseDuration(expires, "--expires", ErrorCode.BAD_USAGE) }),
  };
}

/** `30%` → 0.3; `never` → null. */
function shareFlag(text: string): number | null {
  if (text === "never") return null;
  const percent = /^(\d{1,3})%$/.exec(text)?.[1];
  if (percent !== undefined && Number(percent) >= 1 && Number(percent) <= 100) return Number(percent) / 100;
  throw new SatyapanError(ErrorCode.BAD_USAGE, "--stop-at takes 1% to 100%, or never");
}

function refusal({ name, rows, bad, problems }: FileCheck, { skipBad }: SubmitFlags): SatyapanError {
  const remedy = "mend them and submit again, or add --skip-bad, which leaves them out and writes them to a file";
  const head =
    skipBad === true
      ? `none of ${rows} rows can run, so nothing was accepted`
      : `${bad} of ${rows} rows are bad, so nothing was accepted: ${remedy}`;
  return new SatyapanError(ErrorCode.BAD_INPUT, `${name}: ${head}\n${formatProblems(problems).trimEnd()}`);
}

/** Null: they cannot be read now, and the batch is there all the same. */
async function firstDuplicates({ batches }: Client, { id, counts }: BatchView): Promise<DuplicateRow[] | null> {
  const first: DuplicateRow[] = [];
  const most = Math.min(counts.duplicate, NAMED);
  if (most === 0) return first;
  try {
    for await (const row of batches.duplicates(id)) {
      first.push(row);
      if (first.length === most) break;
    }
  } catch (error) {
    if (error instanceof SatyapanError) return null;
    throw error;
  }
  return first;
}

function formatSubmitted(view: BatchView, duplicates: readonly DuplicateRow[] | null, now: number): string {
  const before = view.duplicate === true ? "The same rows were submitted before, as this batch:\n\n" : "";
  const twice = formatDuplicates(view, duplicates ?? []);
  return `${before}${formatBatch(view, now)}\n${twice}See it go on with \`satyapan batch watch ${view.id}\`.\n`;
}

function formatDuplicates({ id, counts }: BatchView, first: readonly DuplicateRow[]): string {
  if (counts.duplicate === 0) return "";
  const rows = first.map(
    ({ row, ref, reason }) => `  row ${row}${ref === null ? "" : ` (${ref})`}: ${reason ?? "-"}\n`,
  );
  const all = `  all of them: \`satyapan batch results ${id} --only duplicate\`\n`;
  const count = `${counts.duplicate} ${counts.duplicate === 1 ? "row" : "rows"}`;
  return `Not called, because another row or an onboarding has their person: ${count}\n${rows.join("")}${all}\n`;
}
