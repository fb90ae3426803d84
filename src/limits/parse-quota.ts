import type { ErrorCode } from "../base/error.ts";
import { formatDuration, readDuration } from "../base/duration.ts";
import { Complaint, parseText, quote, textSchema } from "../base/text.ts";
import type { Quota, QuotaWindow } from "./quota.ts";

/** A longer text is none of ours. */
const LONGEST_TEXT = 200;
const MOST_WINDOWS = 8;
/** What one window may allow: far above what either provider gives one credential. */
const MOST_CALLS = 1_000_000;
/** Longest window, in ms: a month. */
const LONGEST_WINDOW = 31 * 86_400_000;
const EXAMPLE = "1/1s,30/1m,1000/1d";

/** What a lone `0` means: no call at all until somebody changes it. */
const HOLD: Quota = [{ max: 0, ms: 1_000 }];

/** `1/1s,30/1m,1000/1d` → windows, shortest first. See `parseQuota`. */
export const quotaSchema = textSchema(`windows of calls/duration, like ${EXAMPLE}; 0 holds all calls`, readQuota);

/** One window alone, `5/30m`, of at least one call. */
export const windowSchema = textSchema("calls/duration, like 5/30m", (text): QuotaWindow | Complaint => {
  const window = readWindow(text);
  if (window instanceof Complaint || window.max > 0) return window;
  return new Complaint("must allow at least one call");
});

/**
 * Windows that hold all at once, shortest first. `0` or `0/1s` alone is a hold: no call is made.
 * Refused: two windows of one length, and a longer window that allows fewer calls than a shorter one.
 * @throws SatyapanError `bad-settings`, or `code`, its message beginning with `name`
 */
export function parseQuota(text: string, name: string, code?: ErrorCode): Quota {
  return parseText(quotaSchema, text, name, code);
}

/** The text that `parseQuota` reads back as the same quota: `1/1s,30/1m,1000/1d`. */
export function formatQuota(quota: Quota): string {
  return quota.map(formatWindow).join(",");
}

function formatWindow({ max, ms }: QuotaWindow): string {
  return `${max}/${formatDuration(ms)}`;
}

function readQuota(text: string): Quota | Complaint {
  if (text === "0") return HOLD;
  if (text.length > LONGEST_TEXT) return new Complaint(`must be at most ${LONGEST_TEXT} characters, like ${EXAMPLE}`);
  const parts = text.split(",");
  if (parts.length > MOST_WINDOWS) return new Complaint(`must have at most ${MOST_WINDOWS} windows`);
  const windows: QuotaWindow[] = [];
  for (const part of parts) {
    const window = readWindow(part.trim());
    if (window instanceof Complaint) return window;
    windows.push(window);
  }
  const quota = windows.toSorted((one, other) => one.ms - other.ms);
  return contradiction(quota) ?? quota;
}

function readWindow(text: string): QuotaWindow | Complaint {
  const match = /^(\d{1,9})\/([^/]+)$/.exec(text);
  if (match === null) return new Complaint(`must be windows of calls/duration, like ${EXAMPLE}, not ${quote(text)}`);
  const max = Number(match[1]);
  if (max > MOST_CALLS) return new Complaint(`must allow at most ${MOST_CALLS} calls in a window, not ${quote(text)}`);
  const ms = readDuration(match[2] ?? "", { least: 1, most: LONGEST_WINDOW });
  return ms instanceof Complaint ? new Complaint(`${ms.message} in the window ${quote(text)}`) : { max, ms };
}

/** A contradiction between windows, which are sorted by length. */
function contradiction(quota: Quota): Complaint | undefined {
  if (quota.length > 1 && quota.some(({ max }) => max === 0)) {
    return new Complaint("must be 0/1s alone to hold all calls: a window of 0 leaves nothing to the others");
  }
  for (const [index, longer] of quota.entries()) {
    const shorter = quota[index - 1];
    if (shorter === undefined) continue;
    const both = `${formatWindow(shorter)} and ${formatWindow(longer)}`;
    if (shorter.ms === longer.ms) return new Complaint(`must have one window of a length, not both ${both}`);
    if (shorter.max > longer.max) {
      return new Complaint(`contradicts itself: of ${both} the longer window allows fewer calls than the shorter`);
    }
  }
  return undefined;
}
