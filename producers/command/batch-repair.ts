import type { CommandContext } from "../../src/command/context.ts";
import { loadSettings } from "../../src/command/settings.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { RepairView } from "../batches/batch-repair.ts";
import { mapFlag, parseMap } from "../imports/column-plan.ts";
import { formatProblems } from "../imports/format-check.ts";
import { importTarget } from "../imports/import-target.ts";
import { readRepairs, type RepairCheck } from "../imports/repair-file.ts";
import { formatBatch } from "../report/format-batch.ts";
import type { Client } from "../client.ts";
import { openTableOf } from "./batch-flags.ts";
import { openClient } from "./open.ts";

export interface RepairFlags {
  readonly repairs: string;
  readonly map: readonly string[];
  readonly json?: true;
}

const NAMED = 10;

/** `batch submit FILE --repairs BATCH`: its results, mended, are taken back, all or none. */
export async function submitRepairs(context: CommandContext, file: string, flags: RepairFlags): Promise<void> {
  const settings = loadSettings(context);
  await using stack = new AsyncDisposableStack();
  await using client = openClient(context);
  const { id, flow, operation } = await client.batches.show(flags.repairs);
  const target = importTarget(flow === undefined ? { operation: operation ?? "" } : { flow });
  const opened = await openTableOf(context, file, stack);
  const wishes = { map: parseMap(flags.map.map(mapFlag), target), ref: null };
  const keptRows = await client.batches.kept(id);
  const check = await readRepairs({
    ...{ ...opened, target, wishes, settings, now: context.now(), signal: context.signal },
    kept: async (rows) => await keptRows.read(rows),
  });
  const { name } = opened;
  if (check.bad > 0) throw badRows(name, check);
  if (check.mended.length === 0 && check.before === 0) throw nothingMended(name, check);
  const view = await repaired(client, id, check);
  const text = flags.json
    ? `${JSON.stringify({ ...view, not_mended: check.unmended.length })}\n`
    : formatRepaired(view, check, context.now());
  context.stdout.write(text);
}

/** With those of the file that had come back before. */
async function repaired(client: Client, id: string, { mended, before }: RepairCheck): Promise<RepairView> {
  if (mended.length === 0) {
    return { ...(await client.batches.show(id)), mended: 0, mended_before: before, duplicate: true };
  }
  const view = await client.batches.repairChecked(id, mended);
  return { ...view, mended_before: view.mended_before + before };
}

function formatRepaired(view: RepairView, { unmended }: RepairCheck, now: number): string {
  const { mended, mended_before, id } = view;
  const lines = [
    `${counted(mended)} taken back`,
    ...(mended_before === 0 ? [] : [mendedBefore(mended_before)]),
    ...(unmended.length === 0
      ? []
      : [`${counted(unmended.length)} not mended, everything as it was: ${linesOf(unmended)}`]),
  ];
  return `${lines.join("\n")}\n\n${formatBatch(view, now)}\nSee it go on with \`satyapan batch watch ${id}\`.\n`;
}

function badRows(name: string, { bad, problems }: RepairCheck): SatyapanError {
  const are = bad === 1 ? "row is" : "rows are";
  const message = `${name}: ${bad} mended ${are} still bad, so none was taken back: mend them, or leave them out\n${formatProblems(problems).trimEnd()}`;
  return new SatyapanError(ErrorCode.BAD_INPUT, message);
}

function nothingMended(name: string, { rows, unmended }: RepairCheck): SatyapanError {
  const message = `${name}: none of ${rows} rows is mended, everything is as it was (${linesOf(unmended)})`;
  return new SatyapanError(ErrorCode.BAD_INPUT, message);
}

function linesOf(lines: readonly number[]): string {
  const more = lines.length > NAMED ? ", …" : "";
  return `${lines.length === 1 ? "line" : "lines"} ${lines.slice(0, NAMED).join(", ")}${more}`;
}

function mendedBefore(rows: number): string {
  return rows === 1 ? "1 row was mended before: left as it was" : `${rows} rows were mended before: left as they were`;
}

function counted(rows: number): string {
  return rows === 1 ? "1 row is" : `${rows} rows are`;
}
