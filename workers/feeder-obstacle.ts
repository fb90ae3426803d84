import { ErrorCode, SatyapanError } from "../src/base/error.ts";
import type { FeederBatch } from "./feeder-batch.ts";
import type { FeederParts } from "./feeder-parts.ts";

/** What keeps a worker from one batch alone, until it is given what it lacks; null: another fault. */
function obstacleOf(error: unknown): string | null {
  if (!(error instanceof SatyapanError)) return null;
  switch (error.code) {
    case ErrorCode.UNKNOWN_KEY:
      return `the worker that hands rows over lacks a key that seals this batch: ${error.message}`;
    case ErrorCode.UNKNOWN_OPERATION:
    case ErrorCode.UNKNOWN_FLOW:
      return "the worker that hands rows over is of a version that does not know what this batch runs: update it";
    case ErrorCode.UNREADABLE:
      return `the worker that hands rows over cannot read what is kept of it: ${error.message} (damaged, or of a newer version: update the worker)`;
    default:
      return null;
  }
}

/** What this worker lacks for one batch holds back no other: it is said of that one. How many rows moved. */
export async function unhindered(
  { deps, store }: FeederParts,
  hand: FeederBatch,
  epoch: number,
  work: () => Promise<number>,
): Promise<number> {
  const { id: batch } = hand.batch;
  try {
    const moved = await work();
    if (moved > 0 && hand.obstacle !== null) {
      await store.hinder(hand.batch, epoch, null);
      hand.obstacle = null;
    }
    return moved;
  } catch (err) {
    const obstacle = obstacleOf(err);
    if (obstacle === null) throw err;
    deps.logger.rarely.error({ err, batch }, "batch stands: this worker lacks what it takes");
    if (obstacle !== hand.obstacle) await store.hinder(hand.batch, epoch, obstacle);
    hand.obstacle = obstacle;
    return 0;
  }
}
