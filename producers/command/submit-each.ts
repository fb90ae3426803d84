import { once } from "node:events";
import { type CommandContext, ExitCode } from "../../src/command/context.ts";
import type { JobRecord } from "../../src/records/record.ts";
import type { Client, SubmitManyOptions } from "../client.ts";
import { openTwice, pipedTwice } from "../files/twice-read.ts";
import { InputsError } from "../jobs/input-problems.ts";
import { SamePersonError } from "../jobs/same-person.ts";
import { Patience } from "../base/patience.ts";
import { type Progress, startProgress } from "../report/progress.ts";
import { describePersons, describeRows } from "./row-problems.ts";
import { RowSource } from "./row-source.ts";
import { SubmissionReport } from "./submission-report.ts";
import type { SubmitFlags } from "./submit-flags.ts";
import { whyOpen } from "./why-open.ts";

/** Records read at once for the report. */
const CHUNK = 500;

/** `submit OPERATION --each FILE`: all rows are checked before the first is accepted. Memory does not grow with the file. */
export async function submitEach(
  context: CommandContext,
  client: Client,
  operation: string,
  flags: SubmitFlags & { readonly each: string },
  options: SubmitManyOptions,
  waitMs: number | null,
): Promise<void> {
  const name = flags.each === "-" ? null : flags.each;
  const { stdin, machine, signal } = context;
  await using content =
    name === null ? await pipedTwice(stdin, machine.tmpDir, signal) : await openTwice(name, machine.tmpDir, signal);
  const rows = new RowSource(
    operation,
    name,
    () => content.pieces(),
    (line) => context.stderr.write(`satyapan: ${line}\n`),
  );
  const report = new SubmissionReport();
  const output = new RecordOutput(context, flags.json === true);
  const accepted = new AcceptedJobs();
  const onRecords = async (records: readonly JobRecord[]): Promise<void> => {
    for (const record of records) {
      if (waitMs !== null) {
        accepted.add(record);
        continue;
      }
      report.add(record);
      await output.write(record);
    }
  };
  try {
    await submitRows(context, client, operation, rows, options, onRecords);
    if (waitMs !== null) {
      for await (const record of ended(context, client, operation, accepted, options, waitMs)) {
        report.add(record);
        await output.write(record);
      }
    }
  } finally {
    output.end();
  }
  if (flags.json !== true) context.stdout.write(report.summary(waitMs !== null));
  if (waitMs === null) return;
  const open = await report.stillOpen(async (id) => await whyOpen(client, id));
  if (open !== null) context.stderr.write(`satyapan: ${open}\n`);
  if (!report.succeeded(accepted.ids.length)) context.exit(ExitCode.NOT_SUCCEEDED);
}

async function submitRows(
  { stderr }: CommandContext,
  client: Client,
  operation: string,
  rows: RowSource,
  options: SubmitManyOptions,
  onRecords: (records: readonly JobRecord[]) => Promise<void>,
): Promise<void> {
  const bar: { progress: Progress | null } = { progress: null };
  const counted: SubmitManyOptions = {
    ...options,
    onChecked: (count) => (bar.progress = startProgress(stderr, "accepted", count)),
    onAccepted: (count) => bar.progress?.update(count),
  };
  try {
    await client.submitFrom(operation, rows, counted, onRecords);
  } catch (error) {
    if (error instanceof InputsError) throw describeRows(rows.name, rows.lines, error);
    if (error instanceof SamePersonError) throw describePersons(rows.name, rows.lines, error);
    throw error;
  } finally {
    bar.progress?.stop();
  }
}

/** The records of all once they are settled, or as they stand when the time is up or somebody pressed Ctrl-C. */
async function* ended(
  { stderr, signal, now }: CommandContext,
  client: Client,
  operation: string,
  { ids, marks }: AcceptedJobs,
  options: SubmitManyOptions,
  timeoutMs: number,
): AsyncGenerator<JobRecord> {
  const settling = startProgress(stderr, "settled", ids.length);
  const patience = new Patience(options, now);
  try {
    const onSettled = (count: number): void => settling.update(count);
    await client.waitForAll(operation, ids, { timeoutMs, signal, patience, onSettled });
  } finally {
    settling.stop();
  }
  // After Ctrl-C the records are still wanted, if they are to be had at once.
  const reading = signal.aborted ? new Patience({}, now) : patience;
  for (let from = 0; from < ids.length; from += CHUNK) {
    const records = await reading.run(async () => await client.getMany(ids.slice(from, from + CHUNK)));
    for (const [index, record] of records.entries()) {
      if (record !== null) yield { ...record, ...marks[from + index] };
    }
  }
}

type Mark = Pick<JobRecord, "duplicate" | "reused">;

const NEW: Mark = {};
const DUPLICATE: Mark = { duplicate: true };
const REUSED: Mark = { reused: true };

/** What is kept of each job that is waited for. */
class AcceptedJobs {
  readonly ids: string[] = [];
  readonly marks: Mark[] = [];

  add({ id, duplicate, reused }: JobRecord): void {
    this.ids.push(id);
    this.marks.push(duplicate === true ? DUPLICATE : reused === true ? REUSED : NEW);
  }
}

/** With `--json`, one list of all records, each written as it comes; it is whole also where the submission ends early. */
class RecordOutput {
  readonly #context: CommandContext;
  readonly #isWanted: boolean;
  #isBegun = false;

  constructor(context: CommandContext, isWanted: boolean) {
    this.#context = context;
    this.#isWanted = isWanted;
  }

  async write(record: JobRecord): Promise<void> {
    if (!this.#isWanted) return;
    const { stdout, signal } = this.#context;
    const isFree = stdout.write(`${this.#isBegun ? "," : "["}${JSON.stringify(record)}`);
    this.#isBegun = true;
    if (!isFree) await once(stdout, "drain", { signal }).catch(() => {});
  }

  end(): void {
    if (this.#isBegun) this.#context.stdout.write("]\n");
  }
}
