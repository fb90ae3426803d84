import { ErrorCode, SatyapanError } from "../src/base/error.ts";
import type { Batch } from "../src/batches/batch.ts";
import type { BatchStore, TakenRow } from "../src/batches/batch-store.ts";
import { CHUNK_ROWS, type Chunks, firstRowOf, placeOf } from "../src/batches/chunks.ts";
import { rowJobId } from "../src/batches/keys.ts";
import { NOBODY, personPlace } from "../src/batches/person-place.ts";
import { endedAs, type RowSight } from "../src/batches/row-end.ts";
import { ROW_BYTES } from "../src/batches/row-state.ts";
import { findOperation } from "../src/operations/catalogue.ts";
import { auditText } from "../src/privacy/audit/entry.ts";
import { batchScope } from "../src/privacy/sealing/data-key.ts";
import type { DataKeys } from "../src/privacy/keys/data-keys.ts";
import type { TicketPacker } from "../src/records/ticket-packer.ts";
import { newJob } from "../src/records/new-job.ts";
import { type NewJob, packJob } from "../src/records/stored-job.ts";
import type { Secret } from "../src/secrets/secret.ts";
import type { FeederBatch } from "./feeder-batch.ts";

export interface TakeDeps {
  readonly store: BatchStore;
  readonly chunks: Chunks;
  readonly dataKeys: DataKeys;
  readonly packer: Pick<TicketPacker, "pack">;
  readonly subjectKey: Secret;
  readonly now: () => number;
}

/** Rows handed over in one step: some ms of Redis' time. */
const AT_ONCE = 64;

/** What came of rows that were to be handed over. */
export interface Taken {
  /** They have their records, and belong into the queue. */
  readonly queued: ReadonlyMap<number, NewJob>;
  /** They ended here. */
  readonly ended: ReadonlyMap<number, RowSight>;
  /** Nothing more is to be had of the batch now. */
  readonly isOver: boolean;
}

/** A row's job, and whom the row is about. */
interface MadeJob {
  readonly row: number;
  readonly subject: string | null;
  readonly job: NewJob;
}

/** Hands the next waiting rows of a batch over: each becomes a job, in the step that says so. At most `most`, of one chunk. */
export async function takeRows(deps: TakeDeps, hand: FeederBatch, epoch: number, most: number): Promise<Taken> {
  const { store, now } = deps;
  const { batch } = hand;
  const rows = await waitingRows(store, hand, Math.min(most, AT_ONCE));
  const ended = new Map<number, RowSight>();
  if (rows.length === 0) return { queued: new Map(), ended, isOver: true };
  const made = await jobsOf(deps, hand, rows, ended);
  const jobs = await deps.packer.pack(
    batch.queue,
    made.map(({ job }) => job),
  );
  const answers = await store.take(
    batch,
    epoch,
    now(),
    jobs.map((job, index) => takenRow(made[index]?.row ?? 0, made[index]?.subject ?? null, job)),
  );
  if (typeof answers === "string") return { queued: new Map(), ended: new Map(), isOver: true };
  const queued = new Map<number, NewJob>();
  for (const [index, answer] of answers.entries()) {
    const [row, job] = [made[index]?.row ?? 0, jobs[index]];
    if (answer.kind === "taken" && job !== undefined) queued.set(row, job);
    if (answer.kind === "held") ended.set(row, endedAs("duplicate", "same-person", samePerson(batch, answer.by)));
    if (answer.kind === "conflict") ended.set(row, endedAs("failed", ErrorCode.ID_CONFLICT, "another job has its id"));
  }
  hand.cursor = (rows.at(-1) ?? 0) + 1;
  return { queued, ended, isOver: false };
}

/** The numbers of the next rows that wait, all of one chunk; moves the cursor over chunks that have none. */
async function waitingRows(store: BatchStore, hand: FeederBatch, most: number): Promise<number[]> {
  const { queue, id, rows } = hand.batch;
  while (hand.cursor <= rows) {
    const last = Math.min(firstRowOf(placeOf(hand.cursor).chunk) + CHUNK_ROWS - 1, rows);
    const states = await store.statesBetween(queue, id, hand.cursor, last);
    const found: number[] = [];
    for (let index = 0; index < states.length && found.length < most; index += 1)
      if (states[index] === ROW_BYTES.waiting) found.push(hand.cursor + index);
    if (found.length > 0) return found;
    // Gone, or shorter than it was said to be: there is nothing to hand over.
    if (states.length === 0) return [];
    hand.cursor = last + 1;
  }
  return [];
}

/** A row whose input cannot be had any more ends here, with the reason. */
async function jobsOf(
  deps: TakeDeps,
  hand: FeederBatch,
  rows: readonly number[],
  ended: Map<number, RowSight>,
): Promise<MadeJob[]> {
  const { batch } = hand;
  const { chunk } = placeOf(rows[0] ?? 1);
  const sealer = await deps.dataKeys.sealer(batchScope(batch.id));
  const values = await inputsOf(deps, batch, chunk);
  const operation = findOperation(batch.target.name);
  const createdAt = deps.now();
  return rows.flatMap((row): MadeJob[] => {
    const read = Array.isArray(values) ? inputAt(values, placeOf(row).index) : null;
    const parsed = read === null ? null : operation.input.safeParse(read.input);
    if (read === null || parsed?.success !== true) {
      const why = values instanceof SatyapanError ? values : null;
      const reason = why?.message ?? "its input is not what was stored";
      ended.set(row, endedAs("failed", why?.code ?? ErrorCode.UNREADABLE, reason));
      return [];
    }
    const clientRefId = parsed.data["client_ref_id"];
    const job = newJob(
      deps.subjectKey,
      sealer,
      {
        ...{ operation, input: parsed.data, of: null, deadline: null },
        clientRefId: typeof clientRefId === "string" ? clientRefId : null,
      },
      {
        ...{ id: rowJobId(batch.id, row), isOwn: false, lane: "bulk", createdAt, actor: batch.submittedBy },
        expiresInMs: batch.expiresInMs,
      },
    );
    return [{ row, subject: read.subject, job }];
  });
}

function takenRow(at: number, subject: string | null, job: NewJob): TakenRow {
  return {
    ...{ at, ...(subject === null ? NOBODY : personPlace(subject)), digest: job.digest },
    ...{ job: packJob(job), input: job.input, deadline: job.expiresAt, subject: job.subject },
    ...{ entry: job.consent === null ? null : auditText(job.consent), ticket: job.ticket ?? null },
  };
}

/** The chunk's values in clear, for this handing over alone, or why nobody can have them any more. Throws what passes. */
async function inputsOf(
  { chunks }: TakeDeps,
  { queue, id }: Batch,
  chunk: number,
): Promise<readonly unknown[] | SatyapanError | null> {
  try {
    return await chunks.read(queue, id, "in", chunk);
  } catch (error) {
    const isLost =
      error instanceof SatyapanError && (error.code === ErrorCode.SHREDDED || error.code === ErrorCode.UNREADABLE);
    if (isLost) return error;
    throw error;
  }
}

function inputAt(values: readonly unknown[], index: number): { subject: string | null; input: unknown } | null {
  const value = values[index];
  if (!Array.isArray(value)) return null;
  const [subject, input] = value as [unknown, unknown];
  return { subject: typeof subject === "string" ? subject : null, input };
}

function samePerson(batch: Batch, holder: string): string {
  const [id = "", at = ""] = holder.split("-");
  return id === batch.id ? `the same person as row ${at}` : `the same person as row ${at} of batch ${id}`;
}
