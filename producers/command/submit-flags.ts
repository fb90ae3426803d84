import type { Lane } from "../../src/outcomes/lane.ts";
import type { IfPending } from "../jobs/open-challenges.ts";

/** The options of `satyapan submit`, as they were given. */
export interface SubmitFlags {
  readonly input?: string;
  readonly each?: string;
  readonly id?: string;
  readonly batch?: string;
  readonly lane?: Lane;
  readonly expires?: string;
  readonly ifPending?: IfPending;
  readonly retryFor?: string;
  readonly traceparent?: string;
  readonly wait?: string;
  readonly json?: true;
}
