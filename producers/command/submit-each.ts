import type { CommandContext } from "../../src/command/context.ts";
import { ExitCode } from "../../src/command/context.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { JobRecord } from "../../src/records/record.ts";
import { isTerminal } from "../../src/outcomes/state.ts";
import type { Client, SubmitManyOptions } from "../client.ts";
import { InputsError } from "../jobs/input-check.ts";
import { Patience } from "../patience.ts";
import { SamePersonError } from "../jobs/same-person.ts";
import { readNamed, readStandardInput } from "../files/read-input.ts";
import { withoutForeign } from "../files/foreign-columns.ts";
import { readRows } from "../files/read-rows.ts";
import { outcomeTable } from "../report/outcome-table.ts";
import { startProgress } from "../report/progress.ts";
import { stateCounts } from "../report/state-counts.ts";
import { stillOpen } from "../report/still-open.ts";
import { awaitAll } from "../jobs/await-all.ts";
import type { SubmitFlags } from "./submit-flags.ts";

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
  const isPiped = flags.each === "-";
  const content = isPiped ? await readStandardInput(context) : readNamed(flags.each, context.readBytes);
  const { rows, left } = withoutForeign(operation, readRows(isPiped ? null : flags.each, content));
  if (left.length > 0) {
    context.stderr.write(
      `satyapan: ${operation} takes no ${left.join(", ")}: left out, as columns for other operations\n`,
    );
  }
  const file = isPiped ? "standard input" : flags.each;
  const accepting = startProgress(context.stderr, "accepted", rows.length);
  let records: JobRecord[];
  try {
    records = await client.submitManyUnchecked(
      operation,
      rows.map(({ input }) => input),
      { ...options, onAccepted: (count) => accepting.update(count) },
    );
  } catch (error) {
    if (error instanceof InputsError) throw describeRows(file, rows, error);
    if (error instanceof SamePersonError) throw describePersons(file, rows, error);
    throw error;
  } finally {
    accepting.stop();
  }
  const patience = new Patience(options, context.now);
  if (waitMs !== null) records = await waitForAll(context, client, records, patience, waitMs);
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
  patience: Patience,
  timeoutMs: number,
): Promise<JobRecord[]> {
  const settling = startProgress(stderr, "settled", records.length);
  try {
    return await awaitAll(client, records, {
      ...{ timeoutMs, signal, patience, now },
      onSettled: (count) => settling.update(count),
    });
  } finally {
    settling.stop();
  }
}

function summary(records: readonly JobRecord[], waited: boolean): string {
  const duplicates = records.filter(({ duplicate }) => duplicate === true).length;
  const reused = records.filter((record) => record.reused === true).length;
  const marks = [
    ...(duplicates === 0 ? [] : [`${duplicates} submitted before`]),
    ...(reused === 0 ? [] : [`${reused} not sent: an OTP is open or on its way`]),
  ];
  const before = marks.length === 0 ? "" : ` (${marks.join(", ")})`;
  const accepted = `${records.length} ${records.length === 1 ? "job" : "jobs"}${before}: ${stateCounts(records)}\n`;
  if (waited) return `${outcomeTable(records)}\n${accepted}`;
  return `${accepted}See the first with \`satyapan show ${records[0]?.id}\`.\n`;
}

/** Unknown columns once, then bad rows by line and field; no row was accepted. */
function describeRows(file: string, rows: readonly { readonly line: number }[], error: InputsError): SatyapanError {
  const columns = new Map<string, string>();
  const problems = error.problems.flatMap(({ index, fields }) => {
    for (const { field, message, unknown, hidden } of fields) {
      // A name that is not shown is told by its place among the cells that have a value: once is enough for all.
      if (unknown !== true) continue;
      if (hidden === true) columns.set(message, `${field}: ${message}`);
      else columns.set(`${field}: ${message}`, `${field}: ${message}`);
    }
    const own = fields.filter(({ unknown }) => unknown !== true);
    const texts = own.map(({ field, message }) => (field === "" ? message : `${field}: ${message}`));
    return texts.length === 0 ? [] : [`  line ${rows[index]?.line ?? "?"}: ${texts.join("; ")}`];
  });
  const header = [...columns.values()].map((text) => `  header: ${text}`);
  const more = problems.length > SHOWN_PROBLEMS ? [`  … and ${problems.length - SHOWN_PROBLEMS} more`] : [];
  const wrong = [
    ...(header.length === 0
      ? []
      : [header.length === 1 ? "one column is unknown" : `${header.length} columns are unknown`]),
    ...(problems.length === 0 ? [] : [`${problems.length} of ${rows.length} rows are wrong`]),
  ];
  const head = `${file}: ${wrong.join(" and ")}, so none was submitted`;
  const lines = [head, ...header, ...problems.slice(0, SHOWN_PROBLEMS), ...more];
  return new SatyapanError(ErrorCode.BAD_INPUT, lines.join("\n"));
}

/** Those who need the same OTP, by line. */
function describePersons(
  file: string,
  rows: readonly { readonly line: number }[],
  { groups }: SamePersonError,
): SatyapanError {
  const lines = groups.map((group) => {
    const [last = "", ...before] = group.map((index) => String(rows[index]?.line ?? "?")).toReversed();
    return `  lines ${before.toReversed().join(", ")} and ${last} are for one person`;
  });
  const more = lines.length > SHOWN_PROBLEMS ? [`  … and ${lines.length - SHOWN_PROBLEMS} more`] : [];
  const head = `${file}: some rows are for one person, who would get several OTPs, so none was submitted`;
  const cure =
    "leave out all but one, or add --if-pending reuse (one OTP serves them) or --if-pending wait (each gets its own, after the cooldown)";
  const text = [head, ...lines.slice(0, SHOWN_PROBLEMS), ...more, cure].join("\n");
  return new SatyapanError(ErrorCode.SAME_PERSON, text);
}
