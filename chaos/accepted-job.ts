/** A job that was accepted: the harness' own memory of it. */
export interface AcceptedJob {
  readonly id: string;
  readonly operation: string;
  /** Aadhaar or mobile number by which the simulator's record names whom a call is about. */
  readonly person: string;
  /** Absent of a verify, which nobody submits again, and of a row. */
  readonly input?: unknown;
}
