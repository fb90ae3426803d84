import { ErrorCode } from "../src/base/error.ts";
import type { UnreadableAudit } from "../src/privacy/audit/chain.ts";
import type { Logger } from "../src/telemetry/logger.ts";
import type { Metrics } from "../src/telemetry/metrics.ts";

/** Counts what of the audit log's outboxes cannot be read, and logs it. */
export function auditComplaints(logger: Logger, metrics: Pick<Metrics, "unreadable">): (what: UnreadableAudit) => void {
  return ({ key, entries }) => {
    metrics.unreadable("audit", entries?.count);
    const facts = { code: ErrorCode.UNREADABLE, key };
    if (entries === null)
      logger.rarely.error(
        facts,
        "the audit log's outbox holds something else than entries: entries go to the second one (:aside)",
      );
    else
      logger.rarely.error(
        { ...facts, ...entries },
        "what is no entry lay in an outbox of the audit log: its digest is in the log instead",
      );
  };
}
