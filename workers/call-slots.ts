import type { Lane } from "../src/outcomes/lane.ts";

/**
 * The jobs that one process works on at once, whatever carries them: interactive ones first, and of each `floorEvery` + 1 that
 * had to wait one for bulk.
 */
export class CallSlots {
  readonly #floorEvery: number;
  readonly #waiting: Readonly<Record<Lane, (() => void)[]>> = { interactive: [], bulk: [] };
  #free: number;
  #sinceBulk = 0;

  constructor(most: number, floorEvery: number) {
    this.#free = most;
    this.#floorEvery = floorEvery;
  }

  /** Whether somebody who comes now need not wait. */
  get hasRoom(): boolean {
    return this.#free > 0;
  }

  /** Does its work as soon as there is room for it. */
  async use<T>(lane: Lane, work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => void this.#waiting[lane].push(resolve));
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** A place goes from hand to hand; it becomes free where nobody waits. */
  #leave(): void {
    const { interactive, bulk } = this.#waiting;
    const isBulksTurn = interactive.length === 0 || this.#sinceBulk >= this.#floorEvery;
    const next = isBulksTurn ? (bulk.shift() ?? interactive.shift()) : interactive.shift();
    this.#sinceBulk = isBulksTurn || bulk.length === 0 ? 0 : this.#sinceBulk + 1;
    if (next === undefined) this.#free += 1;
    else next();
  }
}
