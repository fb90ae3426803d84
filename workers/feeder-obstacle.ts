import { ErrorCode, SatyapanError } from "../src/base/error.ts";

/** What keeps a worker from one batch alone, until it is given what it lacks; null: another fault. */
export function obstacleOf(error: unknown): string | null {
  if (!(error instanceof SatyapanError)) return null;
  switch (error.code) {
    case ErrorCode.UNKNOWN_KEY:
      return `the worker that hands rows over lacks a key that seals this batch: ${error.message}`;
    case ErrorCode.UNKNOWN_OPERATION:
    case ErrorCode.UNKNOWN_FLOW:
      return "the worker that hands rows over is of a version that does not know what this batch runs: update it";
    default:
      return null;
  }
}
