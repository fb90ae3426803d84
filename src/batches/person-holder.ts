import { rowOfJob } from "./keys.ts";

/** Who has the person of a row that is a `duplicate`: another row, or an onboarding of no batch. */
export type PersonHolder =
  | { readonly kind: "row"; readonly batch: string; readonly row: number }
  | { readonly kind: "onboarding"; readonly onboarding: string };

/** What stands before the id of an onboarding that has a person; else it is a row's job (`scripts/holder.lua`). */
const ONBOARDING = "o:";

function holderOf(text: string): PersonHolder {
  if (text.startsWith(ONBOARDING)) return { kind: "onboarding", onboarding: text.slice(ONBOARDING.length) };
  const { batch = "", row = 0 } = rowOfJob(text) ?? {};
  return { kind: "row", batch, row };
}

/** What is said of a row whose person another one has, that of this job or onboarding, from within the batch `own`. */
export function samePersonAs(holder: string, own: string | null): string {
  const who = holderOf(holder);
  if (who.kind === "onboarding") return `the same person as onboarding ${who.onboarding}`;
  return who.batch === own
    ? `the same person as row ${who.row}`
    : `the same person as row ${who.row} of batch ${who.batch}`;
}

/** The same as a row's result keeps it. */
export function packHolder(holder: string): Readonly<Record<string, string>> {
  const who = holderOf(holder);
  return who.kind === "onboarding" ? { same_as_onboarding: who.onboarding } : { same_as_row: holder };
}

/** Who that is; null: nothing is kept of it. */
export function unpackHolder(result: Readonly<Record<string, unknown>> | null): PersonHolder | null {
  const { same_as_onboarding: onboarding, same_as_row: row } = result ?? {};
  if (typeof onboarding === "string") return { kind: "onboarding", onboarding };
  return typeof row === "string" ? holderOf(row) : null;
}
