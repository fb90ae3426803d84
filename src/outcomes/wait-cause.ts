import { assertNever } from "../base/assert-never.ts";
import { formatDuration } from "../base/duration.ts";

/**
 * Why a job waits. The first five stop the whole credential, so the job stays at the front of its queue; the others are
 * its own, and it is put away until its time.
 */
export const WAIT_CAUSES = [
  "quota",
  "busy",
  "breaker",
  "throttled",
  "held",
  "scope",
  "cooldown",
  "pending",
  "backoff",
  "unknown",
] as const;
export type WaitCause = (typeof WAIT_CAUSES)[number];

/** Those that stop the whole credential. */
export const GATE_CAUSES = ["quota", "busy", "breaker", "throttled", "held"] as const satisfies readonly WaitCause[];

export function stopsCredential(cause: WaitCause): boolean {
  return (GATE_CAUSES as readonly WaitCause[]).includes(cause);
}

/** The reason that a record shows for a wait which the gate decided; `detail` is what the gate said. */
export function describeWait(cause: WaitCause, detail: string): string {
  switch (cause) {
    case "quota":
      return detail.startsWith("0:")
        ? "quota: it is 0, so every call is held"
        : `quota: ${describeWindow(detail)} is used up`;
    case "busy":
      return `busy: ${detail === "" ? "as many" : detail} calls are under way, and no more are made at once`;
    case "breaker":
      return detail === "ramp" ? "breaker: resuming slowly after an outage" : "breaker: the provider is out of order";
    case "throttled":
      if (detail === "failover")
        return "redis: another server took over, and workers bring what they know of the quota";
      return "throttled: the provider's rate limit was reached (429)";
    case "held":
    case "scope":
      return `held: ${detail}`;
    case "cooldown":
      return "cooldown: this person was sent an OTP a short while ago";
    case "pending":
    case "backoff":
    case "unknown":
      return cause;
    default:
      return assertNever(cause, "cause of waiting");
  }
}

/** `30:60000` → `30/1m`. */
export function describeWindow(window: string): string {
  const [max = "", ms = ""] = window.split(":");
  return `${max}/${formatDuration(Number(ms))}`;
}
