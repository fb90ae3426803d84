import type { CommandContext } from "../../src/command/context.ts";
import { ExitCode } from "../../src/command/context.ts";
import { ErrorCode, SatyapanError } from "../../src/error.ts";
import type { JobRecord } from "../../src/records/record.ts";
import { isTerminal } from "../../src/records/state.ts";
import type { Client, SubmitManyOptions } from "../client.ts";
import { InputsError } from "../inputs-error.ts";
import { readNamed } from "../files/read-input.ts";
import { readRows } from "../files/read-rows.ts";
import { outcomeTable } from "../report/outcome-table.ts";
import { startProgress } from "../report/progress.ts";
import { stateCounts } from "../report/state-counts.ts";
import { stillOpen } from "../report/still-open.ts";
import { awaitAll } from "../await-all.ts";
import type { SubmitFlags } from "./submit.ts";

// More would scroll the first ones away; the count says how many there are.
const SHOWN_PROBLEMS = 20;

/** `submit OPERATION --each FILE`: all rows are checked before the first is accepted. */
export async function submitEach(
  context: CommandContext,
  client: Client,
  operation: string,
  flags: SubmitFlags & { readonly each: string },
  options: SubmitManyOptions,
  waitMs: number | null,
): Promise<void> {
  const rows = readRows(flags.each, readNamed(flags.each, context.readFile));
  const accepting = startProgress(context.stderr, "accepted", rows.length);
  let records: JobRecord[];
  try {
    records = await client.submitManyUnchecked(
      operation,
      rows.map(({ input }) => input),
      { ...options, onAccepted: (count) => accepting.update(count) },
    );
  } catch (error) {
    if (error instanceof InputsError) throw describeRows(flags.each, rows, error);
    throw error;
  } finally {
    accepting.stop();
  }
  if (waitMs !== null) records = await waitForAll(context, client, records, waitMs);
  context.stdout.write(flags.json ? `${JSON.stringify(records)}\n` : summary(records, waitMs !== null));
  const open = records.filter(({ state }) => !isTerminal(state));
  if (waitMs !== null && open.length > 0) context.stderr.write(`satyapan: ${stillOpen(open)}\n`);
  const succeeded = records.every(({ state }) => state === "succeeded");
  if (waitMs !== null && !succeeded) context.exit(ExitCode.NOT_SUCCEEDED);
}

async function waitForAll(
  { stderr, signal, now }: CommandContext,
  client: Client,
  records: readonly JobRecord[],
  timeoutMs: number,
): Promise<JobRecord[]> {
  const settling = startProgress(stderr, "settled", records.length);
  try {
    return await awaitAll(client, records, { timeoutMs, signal, now, onSettled: (count) => settling.update(count) });
  } finally {
    settling.stop();
  }
}

function summary(records: readonly JobRecord[], waited: boolean): string {
  const duplicates = records.filter(({ duplicate }) => duplicate === true).length;
  const reused = records.filter((record) => record.reused === true).length;
  const marks = [
    ...(duplicates === 0 ? [] : [`${duplicates} submitted before`]),
    ...(reused === 0 ? [] : [`${reused} not sent: an OTP is still open`]),
  ];
  const before = marks.length === 0 ? "" : ` (${marks.join(", ")})`;
  const accepted = `${records.length} ${records.length === 1 ? "job" : "jobs"}${before}: ${stateCounts(records)}\n`;
  if (waited) return `${outcomeTable(records)}\n${accepted}`;
  return `${accepted}See the first with \`satyapan show ${records[0]?.id}\`.\n`;
}

/** Bad rows by line and field; no row was accepted. */
function describeRows(file: string, rows: readonly { readonly line: number }[], error: InputsError): SatyapanError {
  const problems = error.problems.map(({ index, message }) => `  line ${rows[index]?.line ?? "?"}: ${message}`);
  const more = problems.length > SHOWN_PROBLEMS ? [`  … and ${problems.length - SHOWN_PROBLEMS} more`] : [];
  const head = `${file}: ${problems.length} of ${rows.length} rows are wrong, so none was submitted`;
  return new SatyapanError(ErrorCode.BAD_INPUT, [head, ...problems.slice(0, SHOWN_PROBLEMS), ...more].join("\n"));
}
