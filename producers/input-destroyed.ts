import { ErrorCode, SatyapanError } from "../src/error.ts";

/** Its input was kept for `RESULT_RETENTION`, and is gone (design §4 rule 1). */
export function inputDestroyed(id: string): SatyapanError {
  return new SatyapanError(
    ErrorCode.BAD_INPUT,
    `job ${id} cannot be tried again: its input was kept for RESULT_RETENTION and is destroyed; submit a new job`,
  );
}
