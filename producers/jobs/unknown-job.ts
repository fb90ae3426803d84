import { ErrorCode, SatyapanError } from "../../src/base/error.ts";

export function unknownJob(id: string): SatyapanError {
  const shown = showable(id) ? `job ${id}` : "such job";
  return new SatyapanError(ErrorCode.UNKNOWN_JOB, `there is no ${shown}, or its record is past its retention`);
}

/** An argument in the wrong place may be a number of somebody: it is not repeated. */
function showable(id: string): boolean {
  return /^[A-Za-z0-9._-]{1,64}$/.test(id) && !/\d{10}/.test(id);
}
