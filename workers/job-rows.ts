import type { Unread } from "../src/base/unread.ts";
import { NOBODY, personPlace } from "../src/flows/person-place.ts";
import { isPacked, lookedUp, type RowSight, sightOf } from "../src/batches/row-end.ts";
import type { RowStore, TakenRow } from "../src/batches/row-store.ts";
import { findOperation } from "../src/operations/catalogue.ts";
import { auditText } from "../src/privacy/audit/entry.ts";
import type { Sealer } from "../src/privacy/sealing/sealed-text.ts";
import type { JobQueues } from "../src/queues/job-queues.ts";
import { bullmqJobId, type QueueName } from "../src/queues/names.ts";
import { newJob } from "../src/records/new-job.ts";
import type { RecordStore } from "../src/records/record-store.ts";
import { type NewJob, packJob } from "../src/records/stored-job.ts";
import type { TicketPacker } from "../src/records/ticket-packer.ts";
import type { Secret } from "../src/secrets/secret.ts";
import type { FeederBatch } from "./feeder-batch.ts";
import { type OpenRow, type TakeDeps, takeRows } from "./feeder-take.ts";
import type { HandedOver, RowRuns } from "./row-runs.ts";

export interface JobRowsDeps extends TakeDeps {
  readonly queue: QueueName;
  readonly rows: Pick<RowStore, "take" | "look" | "revoke">;
  readonly records: Pick<RecordStore, "fieldsOfMany">;
  readonly queues: Pick<JobQueues, "add" | "entriesGone">;
  readonly packer: Pick<TicketPacker, "pack" | "enqueue">;
  readonly subjectKey: Secret;
  readonly now: () => number;
}

/** One that stays in the queue is looked for there this often, in ms. */
const LOST_MS = 5_000;
const CALLED_OFF = "its batch was cancelled";

/** A row's job, and whom the row is about. */
interface MadeJob {
  readonly row: number;
  readonly run: number;
  readonly subject: string | null;
  readonly job: NewJob;
}

/** Rows that are one job each. */
export class JobRows implements RowRuns {
  readonly #deps: JobRowsDeps;

  constructor(deps: JobRowsDeps) {
    this.#deps = deps;
  }

  async take(hand: FeederBatch, epoch: number, most: number, together: number): Promise<HandedOver> {
    const { packer, rows, now } = this.#deps;
    const { batch } = hand;
    const packed = new Map<number, NewJob>();
    const { taken, ended, isOver } = await takeRows(this.#deps, hand, most, {
      schema: findOperation(batch.target.name).input,
      make: (open, sealer) => this.#make(hand, open, sealer),
      hand: async (made) => {
        const jobs = await packer.pack(
          batch.queue,
          made.map(({ job }) => job),
          together,
        );
        const inTickets = made.map((one, index) => ({ ...one, job: jobs[index] ?? one.job }));
        for (const { row, job } of inTickets) packed.set(row, job);
        return await rows.take(batch, epoch, now(), inTickets.map(takenRow));
      },
    });
    const jobs = taken.map(({ row, job }) => packed.get(row) ?? job);
    if (jobs.length > 0) await packer.enqueue(batch.queue, jobs);
    return { queued: new Map(taken.map(({ row }, index) => [row, jobs[index]?.ticket ?? null])), ended, isOver };
  }

  /** The record of one that ended long ago is packed by then, and read as such. */
  async see(hand: FeederBatch, rows: readonly number[]): Promise<(RowSight | Unread | null)[]> {
    const { records } = this.#deps;
    const { queue } = hand.batch;
    const ids = rows.map((row) => hand.jobOf(row));
    const answers = await this.#deps.rows.look(queue, ids);
    const packed = ids.filter((_, index) => isPacked(answers[index] ?? []));
    const found = packed.length === 0 ? [] : await records.fieldsOfMany(queue, packed);
    const byId = new Map(packed.map((job, index) => [job, found[index] ?? null]));
    return ids.map((job, index) => {
      const fields = byId.get(job) ?? null;
      const answer = fields === null ? (answers[index] ?? []) : lookedUp(fields);
      return answer[0] === undefined || answer[0] === "missing" ? null : sightOf(job, answer);
    });
  }

  /** Rows that were never called come back from the queue; those of a cancelled batch are called off. */
  async takeBack(hand: FeederBatch, epoch: number): Promise<number> {
    const { now } = this.#deps;
    const rows = [...hand.air.values()].filter(({ state }) => state === "queued").map(({ row }) => row);
    if (rows.length === 0) return 0;
    const asked = rows.map((row) => ({ at: row, run: hand.runOf(row) }));
    const cancels = hand.batch.state === "cancelled";
    const revoked = await this.#deps.rows.revoke(hand.batch, epoch, now(), asked, cancels ? CALLED_OFF : null);
    let moved = 0;
    for (const [index, row] of rows.entries()) {
      if (revoked[index] !== true) continue;
      moved += 1;
      // What was called off is folded as any other row that ended.
      if (cancels) continue;
      hand.air.delete(row);
      hand.cursor = Math.min(hand.cursor, row);
    }
    return moved;
  }

  /** Jobs whose entry is lost (whoever was to queue them died, or it was dropped meanwhile) are queued again. */
  async mend(hands: readonly FeederBatch[]): Promise<void> {
    const { queues, queue, now } = this.#deps;
    const before = now() - LOST_MS;
    const late = hands.flatMap((hand) =>
      [...hand.air.values()].flatMap((row) =>
        row.state === "queued" && !row.isUnread && row.queuedAt <= before ? [{ row, id: hand.jobOf(row.row) }] : [],
      ),
    );
    if (late.length === 0) return;
    const entryOf = ({ row, id }: (typeof late)[number]): string => row.ticket ?? bullmqJobId(id);
    const gone = new Set(await queues.entriesGone(queue, [...new Set(late.map(entryOf))]));
    // Each by itself, from now on: whatever carried it may come back.
    const lost = late.filter((one) => gone.has(entryOf(one)));
    await queues.add(
      queue,
      lost.map(({ id }) => ({ id, lane: "bulk", verify: false })),
    );
    for (const { row } of late) row.queuedAt = now();
  }

  #make(hand: FeederBatch, { row, subject, input }: OpenRow, sealer: Sealer): MadeJob {
    const { target, submittedBy, expiresInMs } = hand.batch;
    const run = hand.runOf(row);
    const clientRefId = input["client_ref_id"];
    const job = newJob(
      this.#deps.subjectKey,
      sealer,
      {
        ...{ operation: findOperation(target.name), input, of: null, deadline: null },
        clientRefId: typeof clientRefId === "string" ? clientRefId : null,
      },
      {
        // That of another run has no room for the two characters of an attempt: each of those gets a fresh reference.
        ...{ id: hand.jobOf(row), isOwn: run > 0, lane: "bulk", createdAt: this.#deps.now(), actor: submittedBy },
        expiresInMs,
      },
    );
    return { row, run, subject, job };
  }
}

function takenRow({ row, run, subject, job }: MadeJob): TakenRow {
  return {
    ...{ at: row, run, ...(subject === null ? NOBODY : personPlace(subject)), digest: job.digest },
    ...{ job: packJob(job), input: job.input, deadline: job.expiresAt, subject: job.subject },
    ...{ entry: job.consent === null ? null : auditText(job.consent), ticket: job.ticket ?? null },
  };
}
