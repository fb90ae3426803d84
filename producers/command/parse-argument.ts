import { parseDuration } from "../../src/base/duration.ts";
import { Complaint, parseText, quote, textSchema } from "../../src/base/text.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { windowSchema } from "../../src/limits/parse-quota.ts";

const ISO = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/;

/**
 * Ms since the epoch, from `2h` (ago), a day (its beginning in UTC), or an instant with its time zone; `name` is the option's.
 * @throws SatyapanError `bad-usage`
 */
export function parseMoment(text: string, name: string, now: number): number {
  if (/^\d+(?:\.\d+)?[a-z]*$/.test(text)) return now - parseDuration(text, name, ErrorCode.BAD_USAGE);
  const at = ISO.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  const message = `${name} must be a duration like 2h, or a time like 2026-01-15T10:00:00+05:30, not ${quote(text)}`;
  throw new SatyapanError(ErrorCode.BAD_USAGE, message);
}

/** Jobs per second, from `10/s` or `600/1m`. Throws SatyapanError `bad-usage`. */
export function parseRate(text: string): number {
  const rate = windowSchema.safeParse(text.replace(/\/(?=[a-z]+$)/, "/1"));
  if (rate.success) return (rate.data.max / rate.data.ms) * 1_000;
  throw new SatyapanError(ErrorCode.BAD_USAGE, `--rate must be jobs per time, like 10/s or 600/1m, not ${quote(text)}`);
}

/** `--since`: a moment of the past. Throws SatyapanError `bad-usage`. */
export function parseSince(text: string | undefined, now: number): number | undefined {
  const from = text === undefined ? undefined : parseMoment(text, "--since", now);
  if (from === undefined || from <= now) return from;
  throw new SatyapanError(ErrorCode.BAD_USAGE, `--since must be in the past, not ${text}`);
}

/** `--limit`; null where there is none. Throws SatyapanError `bad-usage`. */
export function parseLimit(text: string | undefined): number | null {
  return text === undefined ? null : parseText(limitSchema, text, "--limit", ErrorCode.BAD_USAGE);
}

const limitSchema = textSchema("whole number from 1", (text) =>
  /^[1-9]\d{0,6}$/.test(text) ? Number(text) : new Complaint(`must be a whole number from 1, not ${quote(text)}`),
);

/** Of `name`; what it may be at most is not said here. Throws SatyapanError `bad-usage`. */
export function parseCount(text: string, name: string): number {
  return parseText(countSchema, text, name, ErrorCode.BAD_USAGE);
}

const countSchema = textSchema("whole number", (text) =>
  /^\d{1,7}$/.test(text) ? Number(text) : new Complaint(`must be a whole number, not ${quote(text)}`),
);
