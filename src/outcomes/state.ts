/** A job's states (design §3). `waiting` always comes with a reason and the time it will be tried again. */
export const JOB_STATES = [
  "queued",
  "active",
  "waiting",
  "succeeded",
  "rejected",
  "failed",
  "unknown",
  "expired",
  "cancelled",
] as const;
export type JobState = (typeof JOB_STATES)[number];

export const OPEN_STATES = ["queued", "active", "waiting"] as const satisfies readonly JobState[];
export type OpenState = (typeof OPEN_STATES)[number];
export type TerminalState = Exclude<JobState, OpenState>;

export const TERMINAL_STATES = [
  "succeeded",
  "rejected",
  "failed",
  "unknown",
  "expired",
  "cancelled",
] as const satisfies readonly TerminalState[];

export function isTerminal(state: JobState): state is TerminalState {
  return (TERMINAL_STATES as readonly JobState[]).includes(state);
}
