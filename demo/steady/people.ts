import { setTimeout as sleep } from "node:timers/promises";
import { type Client, SatyapanError } from "../../producers/index.ts";
import { madeUpMobile } from "../../simulator/people.ts";
import { type Habits, type Person, personOf } from "../person.ts";
import type { Phones } from "../phones.ts";

export interface PeopleOptions {
  readonly client: Client;
  readonly phones: Phones;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  readonly everyMs: number;
  /** The first made-up person. */
  readonly first: number;
}

/** How many made-up people there are of one ending. */
export const PEOPLE = 4_000_000;
/** One of twenty never answers, and one of ten mistypes the code at first. */
const HABITS: Habits = {
  habits: ["silent", "clumsy", ...Array<"usual">(9).fill("usual"), "clumsy", ...Array<"usual">(8).fill("usual")],
  readingMs: [2_000, 5_000, 8_000, 14_000],
};
/** Nobody is in a batch as well: those end otherwise. */
const ENDING = "007";

/** People who come one by one, beside the batches, until `signal` aborts. */
export async function bringPeople({ client, phones, say, signal, everyMs, first }: PeopleOptions): Promise<void> {
  for (let nth = 0; !signal.aborted; nth += 1) {
    const mobile = madeUpMobile((first + nth) % PEOPLE, ENDING);
    try {
      const { id } = await client.onboard("eko.mobile", { mobile, csp_id: madeUpMobile(9_000) });
      phones.add("eko.mobile-otp", mobile, usualPerson(nth, id));
    } catch (error) {
      if (!(error instanceof SatyapanError)) throw error;
      if (!signal.aborted) say(`person ${nth + 1}: ${error.message}`);
    }
    await sleep(everyMs, undefined, { signal }).catch(() => {});
  }
}

/** The `nth` of those whom compose's demo brings, who is asked once. */
export function usualPerson(nth: number, onboarding: string): Person {
  return personOf(nth, HABITS, () => onboarding);
}
