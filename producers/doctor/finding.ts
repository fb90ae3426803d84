import type { ExitCode } from "../../src/command/context.ts";
import { exitCodeOf } from "../../src/command/exit-code.ts";
import { SatyapanError } from "../../src/error.ts";

export interface Finding {
  readonly check: string;
  readonly status: "ok" | "warning" | "failed" | "skipped";
  readonly detail: string;
  /** What a failure makes the command exit with. */
  readonly exitCode?: ExitCode;
}

/** A check that ended with an error of ours; anything else is thrown again. */
export function failure(check: string, error: unknown): Finding {
  if (!(error instanceof SatyapanError)) throw error;
  return { check, status: "failed", detail: error.message, exitCode: exitCodeOf(error) };
}
