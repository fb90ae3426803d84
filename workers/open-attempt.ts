import type { TakenJob } from "../src/records/attempt-start.ts";
import type { AttemptTrace } from "./tracing.ts";

/** An attempt that is open in the journal, in the hands of this process. */
export interface OpenAttempt {
  readonly id: string;
  readonly attemptToken: string;
  readonly clientRefId: string;
  /** By Redis' clock, ms. */
  readonly startedAt: number;
  readonly job: TakenJob;
  /** Made to see whether the provider is back: finding it still away costs nothing. */
  readonly isProbe: boolean;
  /** `begun`: a byte of the request may have been written. */
  readonly writing: { begun: boolean };
  /** Null: there are no traces. */
  readonly trace: AttemptTrace | null;
}

/** The moments of an attempt at which the chaos harness may kill its process. */
export type FailPoint = "begun" | "signed" | "replied" | "finished";
