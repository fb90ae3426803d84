/** Characters that are not seen and change what is read: zero-width, direction marks, byte order marks, soft hyphens. */
const HIDDEN = /[\p{Cf}\p{Co}\p{Cn}]/u;
/** Zero-width joiner and non-joiner: letters of Indian scripts need them, numbers never. */
const JOINERS = /[\u200C\u200D]/gu;
/** What is around a value and not of it. */
const AROUND = /^[\s\p{Cf}]+|[\s\p{Cf}]+$/gu;
const LETTER = /\p{L}/u;

/** `9.12346E+09`, `9E+09`, with the comma of half the world: its last digits are gone. */
const SHORTENED = /^[+-]?\d(?:[.,]\d+)?E\+\d{1,3}$|^[+-]?\d[.,]\d+E\d{1,3}$/i;
/** `411001.0`: text that was a number for a while, and may have lost its leading zeros. */
const DECIMAL = /^\d+\.0+$/;

/**
 * A cell's value without what spreadsheets put around it: blanks of all kinds, format characters, and the apostrophe that
 * marks a number as text. Other blanks between words become ordinary ones.
 */
export function cleanCell(cell: string): string {
  const value = cell.replaceAll(AROUND, "").replace(/^['\u2019](?=\+?\d+$)/u, "");
  return LETTER.test(value) ? value.replaceAll(/\p{Zs}/gu, " ") : value;
}

/** What a spreadsheet or a copied text left in a value, and how to mend it; null: nothing. Never the value itself. */
export function spreadsheetTrace(value: string): string | null {
  const words = LETTER.test(value);
  const hidden = HIDDEN.exec(words ? value.replaceAll(JOINERS, "") : value)?.[0];
  if (hidden !== undefined) {
    return `holds ${codePoint(hidden)}, a character that is not seen: remove it, or type the value anew`;
  }
  if (!words) {
    const digit = /(?![0-9])\p{Nd}/u.exec(value)?.[0];
    if (digit !== undefined) return `holds ${codePoint(digit)}, a digit of another script: write it with 0 to 9`;
    const blank = /(?! )\p{Zs}/u.exec(value)?.[0];
    if (blank !== undefined) return `holds ${codePoint(blank)}, a blank of a special kind: remove it`;
  }
  if (SHORTENED.test(value)) {
    return "a spreadsheet shortened this number: format the column as text and export again";
  }
  if (DECIMAL.test(value)) {
    return "a spreadsheet added decimals to this number: format the column as text and export again";
  }
  return null;
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}
