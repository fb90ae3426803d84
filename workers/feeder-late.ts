import { ErrorCode, SatyapanError } from "../src/base/error.ts";
import { isRead, UNREAD } from "../src/base/unread.ts";
import type { Batch } from "../src/batches/batch.ts";
import { hasEnded } from "../src/batches/batch-state.ts";
import type { RowSight } from "../src/batches/row-end.ts";
import { isAir } from "../src/batches/row-state.ts";
import { FeederBatch } from "./feeder-batch.ts";
import { foldRows } from "./feeder-fold.ts";
import type { LateNews } from "./feeder-news.ts";
import type { FeederParts } from "./feeder-parts.ts";

/** Rows that had ended and tell something else now: also of batches that are over. */
export async function lookAgain(parts: FeederParts, news: LateNews, epoch: number): Promise<void> {
  const { deps, store, batches, runs, fold } = parts;
  for (let first = news.first; first !== null; first = news.first) {
    const { id, rows } = first;
    const batch = batches.get(id)?.batch ?? (await store.getMany(deps.queue, [id]))[0] ?? null;
    if (batch === UNREAD) {
      news.refuseFirst(ofNewerVersion(id));
      continue;
    }
    const hand = batches.get(id) ?? (batch === null ? null : await overBatch(parts, batch));
    let isWhole = true;
    if (hand !== null) {
      const seen = await runs[hand.batch.target.kind].see(hand, rows);
      const sights = rows.flatMap((row, index) => {
        const sight = seen[index] ?? null;
        // Its record went with its time: how the row ended stands.
        return isRead(sight) ? [[row, sight] as const] : [];
      });
      isWhole = !seen.includes(UNREAD);
      if (await foldRows(fold, hand, epoch, new Map(sights))) await reopen(parts, hand, epoch, sights);
    }
    if (isWhole) news.written();
    else news.refuseFirst(ofNewerVersion(id));
  }
}

function ofNewerVersion(id: string): SatyapanError {
  return new SatyapanError(ErrorCode.UNREADABLE, `batch ${id}, or a row of it, is of a newer version than this worker`);
}

/** One that nobody looks after any more. */
async function overBatch({ repairs }: FeederParts, batch: Batch): Promise<FeederBatch> {
  const hand = new FeederBatch(batch);
  hand.reruns = new Map(await repairs.reruns(batch.queue, batch.id));
  return hand;
}

/** A row that goes on is in the air again, and so its batch has to be looked after; an end may change how the batch ended. */
async function reopen(
  { deps, store }: FeederParts,
  hand: FeederBatch,
  epoch: number,
  sights: readonly (readonly [number, RowSight])[],
): Promise<void> {
  const { batch } = hand;
  for (const [row, { state, isAway, ticket }] of sights)
    if (isAir(state)) hand.put(row, state, { isAway, ticket, queuedAt: deps.now() });
  if (hasEnded(batch.state)) await store.reopen(batch, epoch);
}
