import { mask } from "./mask.ts";
import { isVerhoeffValid } from "./verhoeff.ts";
import type { Found } from "./found.ts";
import { standsAlone } from "./stands-alone.ts";

/**
 * Twelve digits in one run, or groups of four with the same separator between all of them, also as a URL writes it. A digit
 * before them makes the run longer, unless it is the end of `%20` or `\u00a0`.
 */
const CANDIDATE =
  /(?:(?<!\d)|(?<=%[0-9A-Fa-f]\d|\\u[0-9A-Fa-f]{3}\d))(?:[2-9]\d{11}|\d{4}([ +-]|%20|\xc2?\xa0)\d{4}(?:\1\d{4})+)(?!\d)/g;

/**
 * Aadhaar-like numbers in a text: 12 digits, the first 2 to 9, Verhoeff-valid, that stand alone (`standsAlone`). A longer
 * run of digits is a timestamp (13) or a score (16), four groups of four are a card.
 */
export function findNumbers(text: string): Found[] {
  const found: Found[] = [];
  for (const { 0: candidate, 1: separator = "", index } of text.matchAll(CANDIDATE)) {
    if (!standsAlone(text, index, index + candidate.length)) continue;
    const groups = separator === "" ? (candidate.match(/\d{4}/g) ?? []) : candidate.split(separator);
    // A list of numbers reads as one run of groups, three by three.
    if (groups.length % 3 !== 0) continue;
    const step = 12 + 3 * separator.length;
    for (let first = 0; first < groups.length; first += 3) {
      const digits = groups.slice(first, first + 3).join("");
      if (!/^[2-9]/.test(digits) || !isVerhoeffValid(digits)) continue;
      const at = index + (first / 3) * step;
      const end = at + step - separator.length;
      found.push({ kind: "aadhaar", what: "Aadhaar-like number", shown: mask("aadhaar", digits), at, end });
    }
  }
  return found;
}
