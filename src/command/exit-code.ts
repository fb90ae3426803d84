import { ErrorCode, type SatyapanError } from "../base/error.ts";
import { ExitCode } from "./context.ts";

/** The exit code of an error, by its code. */
export function exitCodeOf({ code }: SatyapanError): ExitCode {
  switch (code) {
    case ErrorCode.REDIS_UNREACHABLE:
    case ErrorCode.REDIS_UNSUITABLE:
    case ErrorCode.REDIS_MISSING:
    case ErrorCode.KEYS_UNREACHABLE:
      return ExitCode.UNREACHABLE;
    case ErrorCode.WAIT_TIMEOUT:
    case ErrorCode.UNREADABLE:
    case ErrorCode.AUDIT_BROKEN:
    case ErrorCode.SHREDDED:
    case ErrorCode.KEY_NEEDED:
    case ErrorCode.CLOSED:
    case ErrorCode.INTERRUPTED:
      return ExitCode.NOT_SUCCEEDED;
    default:
      return ExitCode.WRONG_USE;
  }
}
