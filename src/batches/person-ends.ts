/** What an operator learns on the phone that ends a row: its code in the results, and the reason in words. */
export const PERSON_ENDS = {
  "wrong-number": "somebody else has this number",
  refused: "the person does not want to be onboarded",
} as const;
export type PersonEnd = keyof typeof PERSON_ENDS;

/** The code of a row that ended for this reason; null: it is none of these. */
export function personEndOf(reason: string | null): PersonEnd | null {
  const ends = Object.keys(PERSON_ENDS) as PersonEnd[];
  return ends.find((end) => PERSON_ENDS[end] === reason) ?? null;
}
