import type { ExitCode } from "../../src/command/context.ts";
import { exitCodeOf } from "../../src/command/exit-code.ts";
import { SatyapanError } from "../../src/base/error.ts";

export interface Finding {
  readonly check: string;
  readonly status: "ok" | "warning" | "failed" | "skipped";
  readonly detail: string;
  /** What a failure makes the command exit with. */
  readonly exitCode?: ExitCode;
}

const WORST_FIRST: readonly Finding["status"][] = ["failed", "warning", "ok", "skipped"];

/** Findings of one kind stay in the order in which they were found. */
export function worstFirst(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((a, b) => WORST_FIRST.indexOf(a.status) - WORST_FIRST.indexOf(b.status));
}

/** A check that ended with an error of ours; anything else is thrown again. */
export function failure(check: string, error: unknown): Finding {
  if (!(error instanceof SatyapanError)) throw error;
  return { check, status: "failed", detail: error.message, exitCode: exitCodeOf(error) };
}
