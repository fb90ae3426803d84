import { parseDuration } from "../../src/base/duration.ts";
import { quote } from "../../src/base/text.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { windowSchema } from "../../src/limits/parse-quota.ts";
import { findOperation } from "../../src/operations/catalogue.ts";
import type { OutcomeKind } from "../../src/outcomes/outcome.ts";
import type { FailedFilter } from "../failed/failed-jobs.ts";

export interface FilterFlags {
  readonly operation?: string;
  readonly outcome?: OutcomeKind;
  readonly since?: string;
}

const ISO = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/;

/** Throws SatyapanError `bad-usage` or `unknown-operation`. */
export function failedFilter(ids: readonly string[], flags: FilterFlags, now: number): FailedFilter {
  const { operation, outcome, since } = flags;
  if (operation !== undefined) findOperation(operation);
  return {
    ids,
    ...(operation === undefined ? {} : { operation }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(since === undefined ? {} : { since: parseSince(since, now) }),
  };
}

/** Ms since the epoch, from `2h` (ago), a day, or an instant with its time zone. Throws SatyapanError `bad-usage`. */
function parseSince(text: string, now: number): number {
  if (/^\d+(?:\.\d+)?[a-z]*$/.test(text)) return now - parseDuration(text, "--since", ErrorCode.BAD_USAGE);
  const at = ISO.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) {
    const message = `--since must be a duration like 2h, or a time like 2026-01-15T10:00:00+05:30, not ${quote(text)}`;
    throw new SatyapanError(ErrorCode.BAD_USAGE, message);
  }
  if (at > now) throw new SatyapanError(ErrorCode.BAD_USAGE, `--since must be in the past, not ${text}`);
  return at;
}

/** Jobs per second, from `10/s` or `600/1m`. Throws SatyapanError `bad-usage`. */
export function parseRate(text: string): number {
  const rate = windowSchema.safeParse(text.replace(/\/(?=[a-z]+$)/, "/1"));
  if (rate.success) return (rate.data.max / rate.data.ms) * 1_000;
  throw new SatyapanError(ErrorCode.BAD_USAGE, `--rate must be jobs per time, like 10/s or 600/1m, not ${quote(text)}`);
}
