import type { Command } from "commander";
import type { CommandContext } from "../../src/command/context.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { Client } from "../client.ts";
import { unknownJob } from "../jobs/find-job.ts";
import { formatRecord, formatValues } from "../report/format-record.ts";
import { openClient } from "./open.ts";
import { toldWhatItIs } from "./told-id.ts";

interface ShowFlags {
  readonly json?: true;
  readonly reveal?: true;
  readonly reason?: string;
  readonly once?: true;
}

export function defineShow(command: Command, context: CommandContext): void {
  command
    .argument("<id>", "the job's id")
    .option("--reveal", "also the input and the personal part of the result, in clear; needs --reason")
    .option("--reason <text>", "why they are looked at; kept in the audit log, so nothing personal in it")
    .option("--once", "with --reveal: destroy the personal part of the result with this answer")
    .option("--json", "print one JSON document")
    .action(async (id: string, flags: ShowFlags) => {
      checkFlags(flags);
      await using client = openClient(context);
      const show = flags.reveal ? shownInClear : shown;
      context.stdout.write(await toldWhatItIs(client, id, async () => await show(client, id, flags)));
    });
}

function checkFlags({ reveal, reason, once }: ShowFlags): void {
  const problem =
    reveal === true && reason === undefined
      ? "--reveal needs --reason TEXT: it is written into the audit log"
      : reveal === undefined && (reason !== undefined || once === true)
        ? "--reason and --once belong to --reveal"
        : null;
  if (problem !== null) throw new SatyapanError(ErrorCode.BAD_USAGE, problem);
}

async function shown(client: Client, id: string, { json }: ShowFlags): Promise<string> {
  const record = await client.get(id);
  if (record === null) throw unknownJob(id);
  return json === true ? `${JSON.stringify(record)}\n` : formatRecord(record);
}

async function shownInClear(client: Client, id: string, { reason = "", once, json }: ShowFlags): Promise<string> {
  const { record, input, personal } = await client.reveal(id, { reason, once: once === true });
  if (json === true) return `${JSON.stringify({ ...record, input, personal })}\n`;
  return `${formatRecord(record)}${formatValues("input", input)}${formatValues("personal", personal)}`;
}
