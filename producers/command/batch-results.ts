import { type Command, Option } from "commander";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { ROW_STATES, type RowState } from "../../src/batches/row-state.ts";
import type { CommandContext } from "../../src/command/context.ts";
import { writeLines, writeNewFile } from "../files/line-output.ts";
import { RESULT_FORMATS, type ResultFormat, resultLines } from "../imports/result-lines.ts";
import { openClient } from "./open.ts";

interface ResultFlags {
  readonly format: ResultFormat;
  readonly only?: readonly RowState[];
  readonly out?: string;
}

/** `batch results B`: what became of each row, to mend and to hand on. */
export function defineBatchResults(command: Command, context: CommandContext): void {
  command
    .argument("<batch>", "its id, your own id for it, or its name")
    .addOption(
      new Option("--format <format>", "csv for spreadsheets, ndjson for programs")
        .choices(RESULT_FORMATS)
        .default("csv"),
    )
    .option("--only <states>", "rows in these states: failed,unknown", parseStates)
    .option("--out <file>", "a new file, which only you may read; default: standard output")
    .action(async (name: string, { format, only, out }: ResultFlags) => {
      const { stdout, signal } = context;
      await using client = openClient(context);
      const { id } = await client.batches.show(name);
      const rows = client.batches.results(id, only === undefined ? {} : { only });
      const lines = resultLines(id, rows, format);
      if (out === undefined) await writeLines(stdout, lines, signal);
      else await writeNewFile(out, lines, signal);
    });
}

function parseStates(text: string): RowState[] {
  return text.split(",").map((part) => {
    const state = ROW_STATES.find((known) => known === part.trim());
    if (state !== undefined) return state;
    throw new SatyapanError(
      ErrorCode.BAD_USAGE,
      `--only takes states of rows with commas between: ${ROW_STATES.join(", ")}`,
    );
  });
}
