import { rowOfJob } from "./keys.ts";

/** What stands before the id of an onboarding that has a person; else it is a row's job (`scripts/holder.lua`). */
const ONBOARDING = "o:";

/** What is said of a row whose person another one has, that of this job or onboarding, from within the batch `own`. */
export function samePersonAs(holder: string, own: string | null): string {
  if (holder.startsWith(ONBOARDING)) return `the same person as onboarding ${holder.slice(ONBOARDING.length)}`;
  const { batch = "", row = "" } = rowOfJob(holder) ?? {};
  return batch === own ? `the same person as row ${row}` : `the same person as row ${row} of batch ${batch}`;
}
