import type { JobRecord } from "../../src/records/record.ts";
import { JOB_STATES } from "../../src/outcomes/state.ts";

/** How many jobs are in each state, in the order of a job's life: `2 waiting, 17 succeeded`. */
export function stateCounts(records: Iterable<JobRecord>): string {
  const counts = Map.groupBy(records, ({ state }) => state);
  return JOB_STATES.flatMap((state) => {
    const count = counts.get(state)?.length ?? 0;
    return count === 0 ? [] : [`${count} ${state}`];
  }).join(", ");
}
