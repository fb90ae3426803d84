import type { Batch } from "../src/batches/batch.ts";
import { rowJobId } from "../src/batches/keys.ts";
import { type Rerun, type Reruns, runOf } from "../src/batches/rerun.ts";
import { isAir, type RowState, rowStateOf } from "../src/batches/row-state.ts";

/** A row that is in the queue or with the person. Times in ms. */
export interface AirRow {
  readonly row: number;
  state: RowState;
  /** It waits for a time of its own, and takes no place in the queue. */
  isAway: boolean;
  /** The ticket that carries its job; null: an entry of its own in the queue does. */
  ticket: string | null;
  /** Not looked at before. */
  lookAt: number;
  /** When it was last put into the queue, or found there. */
  queuedAt: number;
  /** Its onboarding was told to end, because the batch was cancelled. */
  isCalledOff: boolean;
  /** What it runs is of a newer version: that was said. */
  isUnread: boolean;
}

/** What the feeder holds of an open batch: all of it can be read again (`load`). */
export class FeederBatch {
  batch: Batch;
  /** By their numbers. */
  readonly air = new Map<number, AirRow>();
  /** Rows that run again, of as many repairs as `batch` had when they were read, and of what this feeder did since. */
  reruns: Map<number, Rerun> = new Map();
  /** Rows of these that wait behind all others, because their person did not answer; in order. */
  again: number[] = [];
  /** The first row that may wait. */
  cursor = 1;
  /** Results of the chunks at hand, by their numbers. Their inputs are clear values: `OpenInputs` has them, for a second. */
  readonly results = new Map<number, unknown[]>();
  /** Rows that end in a second, of late. */
  rate = 0;
  endedSince = 0;
  /** Its rows are not as this feeder has them: they are read again. */
  isStale = true;
  /** What keeps this worker from it; null: nothing. */
  obstacle: string | null;

  constructor(batch: Batch) {
    this.batch = batch;
    this.rate = batch.rate;
    this.obstacle = batch.obstacle;
  }

  /** From the states of all rows, and those that run again. */
  load(states: string, reruns: Reruns): void {
    this.isStale = false;
    this.reruns = new Map(reruns);
    this.again = [...reruns].flatMap(([row, { askedSince }]) =>
      askedSince > 0 && rowStateOf(states.charAt(row - 1)) === "waiting" ? [row] : [],
    );
    this.air.clear();
    this.cursor = states.length + 1;
    for (let row = states.length; row >= 1; row -= 1) {
      const state = rowStateOf(states.charAt(row - 1));
      if (state === "waiting") this.cursor = row;
      // Looked for in the queue at once: who put them there may have died before.
      if (state !== undefined && isAir(state)) this.put(row, state, { isAway: false, ticket: null, queuedAt: 0 });
    }
  }

  /** A row is in the air from now on, and looked at in the next round. */
  put(row: number, state: RowState, about: Pick<AirRow, "isAway" | "ticket" | "queuedAt">): void {
    this.air.set(row, { row, state, ...about, lookAt: 0, isCalledOff: false, isUnread: false });
  }

  /** Which time it is that this row runs. */
  runOf(row: number): number {
    return runOf(this.reruns.get(row));
  }

  /** These rows were next, and are not any more. */
  handed(rows: readonly number[]): void {
    const those = new Set(rows);
    const left = this.again.filter((row) => !those.has(row));
    if (left.length === this.again.length) this.cursor = (rows.at(-1) ?? 0) + 1;
    this.again = left;
  }

  /** A row whose person did not answer waits again, behind all others. */
  putBack(row: number, rerun: Rerun): void {
    this.air.delete(row);
    this.reruns.set(row, rerun);
    this.again.push(row);
  }

  jobOf(row: number): string {
    return rowJobId(this.batch.id, row, this.runOf(row));
  }

  /** Rows that take a place in the queue. */
  get queued(): number {
    let count = 0;
    for (const { state, isAway } of this.air.values()) if (state === "queued" && !isAway) count += 1;
    return count;
  }
}
