import { ErrorCode } from "../src/base/error.ts";
import { UNREAD } from "../src/base/unread.ts";
import type { Batch } from "../src/batches/batch.ts";
import { endOf, stopReason } from "../src/batches/batch-state.ts";
import { askAgain, type Rerun } from "../src/batches/rerun.ts";
import { noRecord, type RowSight } from "../src/batches/row-end.ts";
import type { AirRow, FeederBatch } from "./feeder-batch.ts";
import { foldRows } from "./feeder-fold.ts";
import type { FeederParts } from "./feeder-parts.ts";

/** A row that is put away is looked at this often, in ms; and one that waits for a person, of which news come. */
const AWAY_MS = 1_000;
const AWAITED_MS = 5_000;

/** What became of a batch's rows, and what follows from that. How many moved. */
export async function lookAfter(parts: FeederParts, hand: FeederBatch, epoch: number): Promise<number> {
  const { fold, runs: all } = parts;
  const { now } = parts.deps;
  let moved = 0;
  const runs = all[hand.batch.target.kind];
  if (takesBack(hand.batch)) moved += await runs.takeBack(hand, epoch);
  const due = [...hand.air.values()].filter(({ lookAt }) => lookAt <= now());
  const seen = await runs.see(
    hand,
    due.map(({ row }) => row),
  );
  const sights = new Map<number, RowSight>();
  const again = new Map<number, Rerun>();
  for (const [index, air] of due.entries()) {
    const sight = seen[index] ?? noRecord();
    if (sight === UNREAD) {
      leave(parts, hand, air);
      continue;
    }
    air.isUnread = false;
    if (sight.isAway) air.lookAt = now() + (sight.state === "awaiting_otp" ? AWAITED_MS : AWAY_MS);
    air.isAway = sight.isAway;
    air.ticket = sight.ticket;
    if (sight.state !== air.state) sights.set(air.row, sight);
    const rerun = sight.isUnanswered === true ? askRowAgain(hand, air.row) : null;
    if (rerun !== null) again.set(air.row, rerun);
    if (sight.state !== "queued") air.queuedAt = now();
  }
  if (sights.size > 0 && !(await foldRows(fold, hand, epoch, sights, again))) return 1;
  moved += sights.size;
  return moved + (await decide(parts, hand, epoch));
}

/** What a newer version made of it: whoever can read that says how it ends. It takes no place in the queue meanwhile. */
function leave({ deps }: FeederParts, hand: FeederBatch, air: AirRow): void {
  const { now, metrics, logger } = deps;
  air.lookAt = now() + AWAITED_MS;
  air.isAway = true;
  if (air.isUnread) return;
  air.isUnread = true;
  metrics.unreadable("batch");
  const facts = { batch: hand.batch.id, job: hand.jobOf(air.row), code: ErrorCode.UNREADABLE };
  logger.rarely.error(facts, "row of a batch whose record is of a newer version: it is left as it is");
}

/** Nobody is asked again for a batch that was cancelled. */
function askRowAgain({ batch, reruns }: FeederBatch, row: number): Rerun | null {
  return batch.state === "cancelled" ? null : askAgain(row, reruns.get(row), batch.resends);
}

/** Whether the batch stops by itself, or is over. */
async function decide({ deps, store, batches }: FeederParts, hand: FeederBatch, epoch: number): Promise<number> {
  const { batch, air } = hand;
  const { now, logger } = deps;
  const { state, counts, since, stopAt, id } = batch;
  if (state === "running") {
    const reason = stopReason(counts, since, stopAt);
    if (reason !== null) {
      const answer = await store.change(batch, { from: state, to: "stopped", reason }, now(), { epoch });
      if (answer === "done") {
        hand.batch = { ...batch, state: "stopped", reason };
        logger.warn({ batch: id, reason }, "batch stopped by itself");
      }
      return 1;
    }
  }
  const end = endOf(counts, batch.rows);
  if (end === null || air.size > 0) return 0;
  const answer = await store.close(batch, epoch, state === "cancelled" ? "cancelled" : end, now());
  if (answer === "open") return 0;
  batches.ended(id);
  logger.info({ batch: id, state: state === "cancelled" ? state : end, counts }, "batch ended");
  return 1;
}

/** Not once it is over: a row that goes on then was decided by a person. */
function takesBack({ state, endedAt }: Batch): boolean {
  return state === "paused" || state === "stopped" || (state === "cancelled" && endedAt === null);
}
