import { ErrorCode, SatyapanError } from "../../src/base/error.ts";

/** Its input was kept for `RESULT_RETENTION`, or as long as its OTP lived, and is gone (design §4 rule 1). */
export function inputDestroyed(id: string): SatyapanError {
  return new SatyapanError(
    ErrorCode.BAD_INPUT,
    `job ${id} cannot be tried again: its input is no longer kept, or cannot be read (RESULT_RETENTION; an OTP goes with its deadline); submit a new job`,
  );
}
