/** `interactive`: a person is waiting; `bulk` goes behind it (design §1). */
export const LANES = ["interactive", "bulk"] as const;
export type Lane = (typeof LANES)[number];
