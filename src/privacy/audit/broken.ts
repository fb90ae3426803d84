import { ErrorCode, SatyapanError } from "../../base/error.ts";

/** `what` says where and how; it is all that stands between a broken log and somebody who has to mend it. */
export function auditBroken(what: string): SatyapanError {
  return new SatyapanError(ErrorCode.AUDIT_BROKEN, `the audit log is broken: ${what}`);
}
