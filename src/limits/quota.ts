/** One window of a quota: at most `max` calls in any `ms` milliseconds. */
export interface QuotaWindow {
  readonly max: number;
  readonly ms: number;
}

/** All windows of one credential at once, shortest first (for example 1/s and 30/min and 1,000/day). */
export type Quota = readonly QuotaWindow[];
