import type { JobState } from "../../src/outcomes/state.ts";
import type { WaitCause } from "../../src/outcomes/wait-cause.ts";
import type { GateState } from "../../src/limits/control.ts";

/**
 * Why a job is not done: a cause of waiting as its record has it, or
 * `paused` (its queue is, in BullMQ), `lane` (others are before it), `delayed` (put away after a decision or a fault of ours), `no-worker`, `not-queued` (it has a
 * record and no place in the queue), `deadline` (which has passed: it only has to be ended).
 */
export type ExplainedCause = WaitCause | "paused" | "lane" | "delayed" | "no-worker" | "not-queued" | "deadline";

/** Why a job is not done yet, and when it will be tried. Times ISO 8601 in UTC. */
export interface Explanation {
  readonly id: string;
  readonly state: JobState;
  /** Null: it is settled, a call is under way, or it will be taken at once. */
  readonly cause: ExplainedCause | null;
  /** Since when for this cause; of a call under way its begin, of a settled job its end. */
  readonly since: string | null;
  /** Null: never, or nobody can say. */
  readonly next_attempt_at: string | null;
  /** Whether that time is reckoned from the quota and the jobs that are ahead, and not fixed. */
  readonly estimated: boolean;
  /** How many jobs are before it in its queue; null: it is not in line, or too far back to count. */
  readonly ahead: number | null;
  /** All of it in words. */
  readonly text: string;
}

/** Where the queue has a job. */
export type Place =
  | {
      readonly kind: "lane";
      /** Jobs that are taken before it. */
      readonly interactive: number;
      readonly bulk: number;
      /** False: the count is an upper bound, because the list is too long to look through. */
      readonly exact: boolean;
      /** What comes later is taken later; else interactive jobs that come go first. */
      readonly isFirstCome: boolean;
    }
  /** Not taken before `until`, in ms. */
  | { readonly kind: "delayed"; readonly until: number }
  /** A worker has it, or had it when it was lost. */
  | { readonly kind: "taken" }
  | { readonly kind: "none" };

export interface ExplainFacts {
  readonly id: string;
  /** The record's hash, as it is stored. */
  readonly fields: Readonly<Record<string, string>>;
  readonly place: Place;
  readonly gate: GateState;
  /** How many workers take jobs of this queue. */
  readonly workers: number;
  /** What `satyapan provider` and `quota` are given. */
  readonly provider: string;
}
