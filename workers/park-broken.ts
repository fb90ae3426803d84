import { ErrorCode } from "../src/base/error.ts";
import { HEARTBEAT, OPERATION_NAMES } from "../src/operations/catalogue.ts";
import type { Logger } from "../src/telemetry/logger.ts";
import type { Metrics } from "../src/telemetry/metrics.ts";
import { DONE, type FollowUp } from "../src/queues/follow-up.ts";

export interface Parking {
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Ends a job whose record cannot be read. `unmade`: the attempt that is open, where it was not made. */
  readonly park: (id: string, state: "failed" | "unknown", reason: string, unmade: string | null) => Promise<unknown>;
}

/** Ends such a job for good: where it may have been called it is `unknown`, for a person to settle. `unmade`: as of `Parking`. */
export async function parkBroken(
  { metrics, logger, park }: Parking,
  id: string,
  what: string,
  called: boolean,
  unmade: string | null = null,
): Promise<FollowUp> {
  const state = called ? "unknown" : "failed";
  const reason = `${ErrorCode.UNREADABLE}: ${what} (altered, cut off, or of a later version)`;
  await park(id, state, reason, unmade);
  sayParked({ metrics, logger }, id, state, reason);
  return DONE;
}

/** Counts a job that was parked, and logs why. */
export function sayParked(
  { metrics, logger }: Pick<Parking, "metrics" | "logger">,
  id: string,
  state: "failed" | "unknown",
  reason: string,
): void {
  metrics.unreadable("record");
  logger.rarely.error({ job: id, code: ErrorCode.UNREADABLE, state, reason }, "record that cannot be read: job parked");
}

/** The name for a message; a text that does not look like one is not repeated. */
export function shown(operation: string): string {
  return /^[a-z][a-z.-]{0,79}$/i.test(operation) ? operation : "of its";
}

export function isKnownOperation(name: string): boolean {
  return OPERATION_NAMES.includes(name) || name === HEARTBEAT.name;
}
