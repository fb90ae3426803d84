/** A job, an onboarding or a row of a batch that is about the person. */
export interface FoundPart {
  readonly kind: "job" | "onboarding" | "row";
  readonly id: string;
  /** The operation, or the flow. */
  readonly name: string;
  readonly state: string;
  readonly reason: string | null;
  /** ISO 8601, UTC. */
  readonly created_at: string;
  readonly updated_at: string;
}
