import { type Command, Option } from "commander";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { CommandContext } from "../../src/command/context.ts";
import type { Settings } from "../../src/config/settings.ts";
import { openTwice, pipedTwice } from "../files/twice-read.ts";
import { readTable } from "../files/read-table.ts";
import { parseMap } from "../imports/column-plan.ts";
import { ImportFile, type ImportFileOptions } from "../imports/import-file.ts";
import { importTarget, type ImportTarget, type TargetNames } from "../imports/import-target.ts";

/** What says how a file is read. */
export interface FileFlags extends TargetNames {
  readonly map: readonly string[];
  readonly ref?: string;
}

/** The options of every command that reads a file of rows. */
export function addFileFlags(command: Command): Command {
  const map = new Option("--map <column=field>", "what a column is, such as 'Mobile No=mobile'; again for each");
  return command
    .option("--flow <name>", "each row is one person to onboard by this flow")
    .option("--operation <name>", "each row is one job of this operation")
    .addOption(map.argParser(collect).default([], "what its name says"))
    .option("--ref <column>", "the column that holds each row's own reference, kept in clear; default: `ref`");
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

/** The file, opened, and what each row is to run; closed with `stack`. */
export async function openImport(
  context: CommandContext,
  settings: Settings,
  file: string,
  flags: FileFlags,
  stack: AsyncDisposableStack,
): Promise<{ readonly file: ImportFile; readonly target: ImportTarget }> {
  const target = importTarget(flags);
  const wishes = { map: parseMap(flags.map, target), ref: flags.ref ?? null };
  const opened = await openTable(context, file, stack);
  return { file: new ImportFile({ ...opened, target, wishes, settings, now: context.now() }), target };
}

/** The rows of a file, which may be gone through more than once; closed with `stack`. `path` null: standard input. */
export async function openTable(
  { stdin, machine, signal }: CommandContext,
  file: string,
  stack: AsyncDisposableStack,
): Promise<Pick<ImportFileOptions, "path" | "table">> {
  const path = file === "-" ? null : file;
  const opening = path === null ? pipedTwice(stdin, machine.tmpDir, signal) : openTwice(path, machine.tmpDir, signal);
  const content = stack.use(await opening);
  return { path, table: () => readTable(path, untilStopped(content.pieces(), signal)) };
}

/** Also of a file in which for long there is no row. */
async function* untilStopped(pieces: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    if (signal.aborted) throw new SatyapanError(ErrorCode.INTERRUPTED, "stopped; nothing was accepted");
    yield piece;
  }
}
