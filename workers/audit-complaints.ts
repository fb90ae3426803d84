import { ErrorCode } from "../src/base/error.ts";
import type { UnreadableAudit } from "../src/privacy/audit/chain.ts";
import { describeForeignOutbox } from "../src/privacy/audit/outbox.ts";
import type { Logger } from "../src/telemetry/logger.ts";
import type { Metrics } from "../src/telemetry/metrics.ts";

/** Counts what of the audit log's outboxes cannot be read, and logs it. */
export function auditComplaints(logger: Logger, metrics: Pick<Metrics, "unreadable">): (what: UnreadableAudit) => void {
  return ({ key, entries }) => {
    metrics.unreadable("audit", entries?.count);
    const facts = { code: ErrorCode.UNREADABLE, key, ...entries };
    if (entries === null) logger.error(facts, describeForeignOutbox(key));
    else logger.error(facts, "what is no entry lay in an outbox of the audit log: its digest is in the log instead");
  };
}
