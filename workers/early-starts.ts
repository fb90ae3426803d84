import type { FetchedStart } from "../src/records/attempt-start.ts";
import type { Ids } from "../src/records/ids.ts";
import type { Journal } from "../src/records/journal.ts";
import type { CallSlots } from "./call-slots.ts";
import type { Closings } from "./closings.ts";

/** An attempt that was asked for together with its job. */
export interface EarlyStart {
  /** By Redis' clock, ms. */
  readonly takenAt: number;
  readonly freshRef: string;
  /** Null, rejected, or of another job: its own has to be begun as ever. */
  readonly start: Promise<FetchedStart | null>;
}

export interface EarlyStartsDeps {
  readonly journal: Pick<Journal, "beginFetched">;
  /** What was begun is made by nobody: its job never came. */
  readonly leave: (start: EarlyStart) => Promise<void>;
  /** The same of what the step had opened for a job that the fetch did not bring in the end. */
  readonly leaveOther: (other: FetchedStart, takenAt: number) => Promise<void>;
  readonly closings: Pick<Closings, "areAllWritten">;
  readonly slots: Pick<CallSlots, "hasRoom">;
  readonly ids: Pick<Ids, "reference">;
  readonly now: () => number;
  /** Aborted when nothing more is to be begun. */
  readonly stopping: AbortSignal;
}

/**
 * Begins the attempt of a job in the round trip that fetches it, which is one of three less from its submission to its request. Only
 * where nothing keeps the job from being called at once.
 */
export class EarlyStarts {
  readonly #deps: EarlyStartsDeps;
  #last: (EarlyStart & { readonly token: string }) | null = null;
  #lastAt = 0;

  constructor(deps: EarlyStartsDeps) {
    this.#deps = deps;
  }

  /** `token`: of the fetch that was sent in this turn. Resolves when it is known what was begun, if anything; never rejects. */
  async begin(token: string): Promise<void> {
    const { journal, closings, slots, ids, now, stopping, leave, leaveOther } = this.#deps;
    // The answer of the fetch before was lost: its job comes back when its lock has run out, to whomever.
    if (this.#last !== null) leave(this.#last).catch(() => {}); // rejects where all is given up: the next worker finds it
    this.#last = null;
    const takenAt = now();
    if (stopping.aborted || !closings.areAllWritten || !slots.hasRoom || takenAt <= this.#lastAt) return;
    this.#lastAt = takenAt;
    const freshRef = ids.reference(takenAt);
    const start = journal.beginFetched(token, freshRef, takenAt).then(({ brought, others }) => {
      for (const other of others) leaveOther(other, takenAt).catch(() => {});
      return brought;
    });
    const last = { token, takenAt, freshRef, start };
    this.#last = last;
    // A ticket, or nothing: there is no attempt to leave. Where it failed, whoever has the job hears it.
    const forget = (begun: FetchedStart | null): void => {
      if (begun === null && this.#last === last) this.#last = null;
    };
    await start.then(forget, () => {});
  }

  /** What was begun for the job that came with this token; null: nothing. */
  take(token: string): EarlyStart | null {
    const last = this.#last;
    if (last?.token !== token) return null;
    this.#last = null;
    return last;
  }
}
