/** Longest text around a number that decides whether it stands alone. */
export const CONTEXT = 64;
/** More letters than these beside a number are no word, but something encoded. */
const LONGEST_WORD = 24;

/**
 * Whether the digits from `start` to `end` are a number by themselves. In what we keep, digits that are not are part of
 * something else, and one in ten of those that are twelve would pass Verhoeff by chance:
 *
 * - beside letters that may all be hexadecimal they are of a digest, beside letters *and* digits of an id or of base64. The
 *   letters of a word before or after (`aadhaar234123412346`, `\n` in JSON) are none of that, and the number counts;
 * - the last group of a UUID, or its middle ones;
 * - before or after a decimal point (but `234123412346.0`, as spreadsheets write it, counts).
 */
export function standsAlone(text: string, start: number, end: number): boolean {
  const before = text.slice(Math.max(0, start - CONTEXT), start);
  const after = text.slice(end, end + CONTEXT);
  if (/\d\.$/.test(before) || /^\.\d/.test(after.replace(/^\.0+(?!\d)/, ""))) return false;
  if (/[0-9a-f]{4}-[0-9a-f]{4}-$/i.test(before)) return false;
  if (/[0-9a-f]{8}-$/i.test(before) && /^-[0-9a-f]{12}/i.test(after)) return false;
  const letters = wordBefore(before) + (/^[0-9A-Za-z]*/.exec(after)?.[0] ?? "");
  return letters === "" || (letters.length <= LONGEST_WORD && /^[A-Za-z]*[G-Zg-z][A-Za-z]*$/.test(letters));
}

/** Letters and digits right before, without what an escape of JSON or of a URL ends in. */
function wordBefore(before: string): string {
  if (/%[0-9A-Fa-f]{2}$/.test(before)) return "";
  const word = /[0-9A-Za-z]*$/.exec(before)?.[0] ?? "";
  const isEscaped = before.at(-1 - word.length) === "\\";
  return isEscaped ? word.replace(/^(?:u[0-9A-Fa-f]{4}|[bfnrt])/, "") : word;
}
