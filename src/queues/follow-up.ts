/** What the queue has to do with the job now. */
export type FollowUp =
  | { readonly kind: "done" }
  /** Put it away until then, in ms. */
  | { readonly kind: "later"; readonly until: number }
  /** The whole credential is stopped until then, in ms: back to the front of the queue, which opens by itself. */
  | { readonly kind: "gate"; readonly until: number };

export const DONE = { kind: "done" } as const;
