import { type Command, Option } from "commander";
import { parseDuration } from "../../src/base/duration.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { BatchRow } from "../../src/batches/batch-row.ts";
import type { BatchView } from "../../src/batches/batch.ts";
import type { CommandContext } from "../../src/command/context.ts";
import { loadSettings } from "../../src/command/settings.ts";
import type { SubmitCheckedOptions } from "../batches/batches.ts";
import { BadRowsFile } from "../imports/bad-rows-file.ts";
import { checkFile, type FileCheck } from "../imports/check-file.ts";
import { formatProblems } from "../imports/format-check.ts";
import { type ImportFile, maskedColumns } from "../imports/import-file.ts";
import type { ImportTarget } from "../imports/import-target.ts";
import { batchRow } from "../rows/row-checks.ts";
import { formatBatch } from "../report/format-batch.ts";
import { startCount, startProgress } from "../report/progress.ts";
import { addFileFlags, type FileFlags, openImport } from "./batch-flags.ts";
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
      const settings = loadSettings(context);
      await using stack = new AsyncDisposableStack();
      const { file, target } = await openImport(context, settings, path, flags, stack);
      const options = batchOptions(target, flags);
      const check = await checkAll(context, file);
      if (check.bad > 0 && flags.skipBad !== true) throw badRows(check);
      if (check.good === 0) throw noGoodRow(check);
      const bad = check.bad > 0 ? stack.use(await BadRowsFile.create(path === "-" ? null : path)) : null;
      const view = await submitRows(context, file, check, bad, options);
      if (bad !== null) {
        bad.keep();
        context.stderr.write(
          `satyapan: the bad rows (${check.bad}) are in ${bad.path}: mend them there, and submit that file\n`,
        );
      }
      context.stdout.write(flags.json ? `${JSON.stringify(view)}\n` : formatSubmitted(view, context.now()));
    });
}

async function checkAll({ stderr, signal }: CommandContext, file: ImportFile): Promise<FileCheck> {
  const counter = startCount(stderr, "rows checked");
  try {
    return await checkFile(file, { signal, onRows: (rows) => counter.update(rows) });
  } finally {
    counter.stop();
  }
}

async function submitRows(
  context: CommandContext,
  file: ImportFile,
  { rows }: FileCheck,
  bad: BadRowsFile | null,
  options: SubmitCheckedOptions,
): Promise<BatchView> {
  const { stderr, signal } = context;
  await using client = openClient(context);
  const bar = startProgress(stderr, "accepted", rows);
  try {
    return await client.batches.submitChecked(batchRows(file, bad), {
      ...{ ...options, signal, onAccepted: (count) => bar.update(count) },
    });
  } finally {
    bar.stop();
  }
}

/** Bad rows are on the disk before the last row is taken in: what is accepted never lacks them. */
async function* batchRows(file: ImportFile, bad: BadRowsFile | null): AsyncGenerator<BatchRow> {
  for await (const row of file.rows()) {
    if (row.state === "skipped") await bad?.add(row);
    yield batchRow(row, maskedColumns(row));
  }
  await bad?.flush();
}

function batchOptions(target: ImportTarget, flags: SubmitFlags): SubmitCheckedOptions {
  const { name, tenant, id, stopAt, weight, expires, open, resends } = flags;
  return {
    ...(target.kind === "flow" ? { flow: target.name } : { operation: target.name }),
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

function badRows({ name, rows, bad, problems }: FileCheck): SatyapanError {
  const remedy = "mend them and submit again, or add --skip-bad, which leaves them out and writes them to a file";
  const message = `${name}: ${bad} of ${rows} rows are bad, so nothing was accepted: ${remedy}\n${formatProblems(problems).trimEnd()}`;
  return new SatyapanError(ErrorCode.BAD_INPUT, message);
}

function noGoodRow({ name, rows, problems }: FileCheck): SatyapanError {
  const message = `${name}: none of ${rows} rows can run, so nothing was accepted\n${formatProblems(problems).trimEnd()}`;
  return new SatyapanError(ErrorCode.BAD_INPUT, message);
}

function formatSubmitted(view: BatchView, now: number): string {
  const before = view.duplicate === true ? "The same rows were submitted before, as this batch:\n\n" : "";
  return `${before}${formatBatch(view, now)}\nSee it go on with \`satyapan batch watch ${view.id}\`.\n`;
}
