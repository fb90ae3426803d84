import { setTimeout as sleep } from "node:timers/promises";
import { type Batch, type BatchView, viewOf } from "../../src/batches/batch.ts";
import { hasEnded } from "../../src/batches/batch-state.ts";
import { type RowReason, rowReasons } from "../../src/batches/row-reasons.ts";
import { GateControl } from "../../src/limits/control.ts";
import { unlessRefused } from "../../src/redis/refusal.ts";
import type { ClientConnections } from "../base/client-connections.ts";
import { Patience, type PatienceOptions, unlessStopped } from "../base/patience.ts";

/** What passes is borne as `PatienceOptions` say; aborted, it ends without an error. */
export interface WatchBatchOptions extends PatienceOptions {
  /** Between two looks, in ms. Default 500. */
  readonly everyMs?: number;
  /** Also what a look found as it was: its rate, its quota and the time that is left are new. Default false. */
  readonly everyLook?: boolean;
}

/** A batch as it is watched. */
export interface BatchWatch extends BatchView {
  /** Why rows did not succeed, the most frequent first. */
  readonly reasons: readonly RowReason[];
  /** The windows of the quota that it lives on, and how much of each is used; in ms. */
  readonly quota: readonly { readonly max: number; readonly ms: number; readonly used: number }[];
  /** How many workers take its provider's jobs; null: the server does not say it to everybody. */
  readonly workers: number | null;
}

/** Reasons that are shown. */
const MOST_REASONS = 20;

/** A look at a batch: no row of it is read. */
export async function lookAtBatch(
  { redis, queues }: Pick<ClientConnections, "redis" | "queues">,
  batch: Batch,
  now: number,
): Promise<BatchWatch> {
  const [reasons, gate, workers] = await Promise.all([
    rowReasons(redis, batch.queue, batch.id),
    new GateControl(redis).read(batch.queue),
    queues.workers(batch.queue).catch(unlessRefused),
  ]);
  const quota = gate.windows.map(({ max, ms, used }) => ({ max, ms, used }));
  return { ...viewOf(batch, now), reasons: reasons.slice(0, MOST_REASONS), quota, workers };
}

/** What `look` finds, whenever it is something else; ends with the batch, or when `signal` aborts. */
export async function* watchBatch(
  look: () => Promise<BatchWatch>,
  now: () => number,
  options: WatchBatchOptions,
): AsyncGenerator<BatchWatch> {
  const { everyMs = 500, everyLook = false, signal } = options;
  const patience = new Patience(options, now);
  let last = "";
  for (;;) {
    const view = await unlessStopped(signal, async () => await patience.run(look));
    if (view === null) return;
    const text = JSON.stringify([view.state, view.reason, view.counts, view.workers === 0]);
    if (everyLook || text !== last) yield view;
    last = text;
    if (hasEnded(view.state) && view.ended_at !== null) return;
    await sleep(everyMs, undefined, signal && { signal }).catch(() => {});
  }
}
