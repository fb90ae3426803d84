import { isVerhoeffValid } from "./verhoeff.ts";
import { standsAlone } from "./stands-alone.ts";

const EMAIL = /[^\s@]+@[^\s@]+\.[^\s@.]{2,}/;
const PAN = /(?<![A-Z0-9])[A-Z]{5}\d{4}[A-Z](?![A-Z0-9])/i;
const TWELVE = /(?<!\d)\d{4}([\s-]?)\d{4}\1\d{4}(?!\d)/g;
/** With the country's code or a zero before it or not, in one run or as five and five. */
const MOBILE = /(?<!\d)(?:\+?91[\s-]?|0)?[6-9]\d{4}[\s-]?\d{5}(?!\d)/g;

/**
 * What kind of personal data a free text that is kept in clear seems to hold, in words for a message ("must not hold …"), or
 * null. A number in one run counts as Aadhaar only if its checksum fits, because references have twelve digits, too; in
 * groups of four it is meant as one.
 */
export function findPersonal(text: string): string | null {
  // Other scripts' digits are digits, too, and invisible characters part none.
  const plain = text
    .normalize("NFKC")
    .replaceAll(/\p{Cf}/gu, "")
    .replaceAll(/\p{Nd}/gu, asciiDigit);
  if (EMAIL.test(plain)) return "an e-mail address";
  if (PAN.test(plain)) return "a PAN";
  for (const { 0: number, 1: separator, index } of plain.matchAll(TWELVE)) {
    const isMeant = separator !== "" || isVerhoeffValid(number);
    if (/^[2-9]/.test(number) && isMeant && standsAlone(plain, index, index + number.length))
      return "an Aadhaar number";
  }
  for (const { 0: number, index } of plain.matchAll(MOBILE))
    if (standsAlone(plain, index, index + number.length)) return "a mobile number";
  return null;
}

/** A script's ten digits stand one after another, its zero first. */
function asciiDigit(digit: string): string {
  const code = digit.codePointAt(0) ?? 0;
  let zero = code;
  while (code - zero < 9 && /^\p{Nd}$/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return String(code - zero);
}
