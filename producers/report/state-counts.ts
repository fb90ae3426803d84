import type { JobRecord } from "../../src/records/record.ts";
import { JOB_STATES, type JobState } from "../../src/outcomes/state.ts";

/** How many jobs are in each state. */
export class StateCounts {
  readonly #counts = new Map<JobState, number>();

  add({ state }: Pick<JobRecord, "state">): void {
    this.#counts.set(state, this.of(state) + 1);
  }

  of(state: JobState): number {
    return this.#counts.get(state) ?? 0;
  }

  /** In the order of a job's life: `2 waiting, 17 succeeded`. */
  format(): string {
    return JOB_STATES.flatMap((state) => (this.of(state) === 0 ? [] : [`${this.of(state)} ${state}`])).join(", ");
  }
}
