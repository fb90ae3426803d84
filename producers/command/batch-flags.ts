import { type Command, Option } from "commander";
import type { CommandContext } from "../../src/command/context.ts";
import type { Settings } from "../../src/config/settings.ts";
import { mapFlag, parseMap } from "../imports/column-plan.ts";
import { ImportFile } from "../imports/import-file.ts";
import { importTarget, type ImportTarget, type TargetNames } from "../imports/import-target.ts";
import { type FileSource, openTable, type OpenTable, type OpenTableOptions } from "../imports/open-table.ts";

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
  const wishes = { map: parseMap(flags.map.map(mapFlag), target), ref: flags.ref ?? null };
  const opened = await openTableOf(context, file, stack);
  return { file: new ImportFile({ ...opened, target, wishes, settings, now: context.now() }), target };
}

/** What a command's argument names: a file, or `-`, standard input. */
export function sourceOf(context: CommandContext, file: string): [source: FileSource, options: OpenTableOptions] {
  const { stdin, machine, signal } = context;
  return [file === "-" ? stdin : file, { called: "standard input", tmpDir: machine.tmpDir, signal }];
}

/** The rows of a file, which may be gone through more than once; closed with `stack`. */
export async function openTableOf(
  context: CommandContext,
  file: string,
  stack: AsyncDisposableStack,
): Promise<OpenTable> {
  return await openTable(...sourceOf(context, file), stack);
}
