import type { ErrorCode } from "./error.ts";
import { Complaint, parseText, quote, textSchema, type TextSchema } from "./text.ts";

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
] as const;
const SECOND = 1_000;

/** Ten years, in ms: longer is a slip of the finger. */
const LONGEST = 3_650 * 86_400_000;
const EXAMPLES = "250ms, 60s, 10m, 24h or 30d";

/** Bounds in ms, both included. */
export interface DurationRange {
  readonly least?: number;
  readonly most?: number;
}

/** Milliseconds from `250ms`, `1.5s`, `10m`, `24h`, `30d`; or what is wrong with the text. */
export function readDuration(text: string, range: DurationRange = {}): number | Complaint {
  const { least = 0, most = LONGEST } = range;
  const match = /^(\d{1,12})(?:\.(\d{1,6}))?([a-z]*)$/.exec(text);
  if (match === null) return new Complaint(`must be a duration like ${EXAMPLES}, not ${quote(text)}`);
  const [, whole = "", fraction = "", unit = ""] = match;
  if (unit === "") return new Complaint(`must have a unit, for example ${text}s or ${text}ms, not only ${quote(text)}`);
  const factor = UNITS.find(([name]) => name === unit)?.[1];
  if (factor === undefined) {
    return new Complaint(`must end in one of the units ms, s, m, h, d (${EXAMPLES}), not ${quote(unit)}`);
  }
  // In whole numbers, because 1.1 * 1000 is not 1100.
  const scale = 10 ** fraction.length;
  const rest = Number(fraction) * factor;
  if (rest % scale !== 0) return new Complaint(`must be a whole number of milliseconds, not ${quote(text)}`);
  const ms = Number(whole) * factor + rest / scale;
  return ms >= least && ms <= most ? ms : new Complaint(`must be ${describeRange(range)}, not ${text}`);
}

/** `1ms to 10m`. */
export function describeRange({ least = 0, most = LONGEST }: DurationRange): string {
  return `${formatDuration(least)} to ${formatDuration(most)}`;
}

export function durationSchema(range: DurationRange = {}): TextSchema<number> {
  return textSchema(`duration, ${describeRange(range)}`, (text) => readDuration(text, range));
}

/**
 * Milliseconds, at most ten years. A plain number is refused: it does not say whether it means seconds.
 * `name` is what an error calls the text (a variable, an option).
 * @throws SatyapanError `bad-settings`, or `code`
 */
export function parseDuration(text: string, name: string, code?: ErrorCode): number {
  return parseText(durationSchema(), text, name, code);
}

/** The shortest text that `parseDuration` reads back as `ms` (rounded to whole ms): `1m`, `90s`, `1.5s`, `250ms`. */
export function formatDuration(ms: number): string {
  const whole = Math.round(Math.abs(ms));
  const sign = ms < 0 && whole > 0 ? "-" : "";
  if (whole === 0) return "0s";
  const exact = UNITS.find(([, factor]) => whole % factor === 0 && (factor > 1 || whole < SECOND));
  return exact === undefined ? `${sign}${whole / SECOND}s` : `${sign}${whole / exact[1]}${exact[0]}`;
}
