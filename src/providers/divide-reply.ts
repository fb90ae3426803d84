import type { OpenInput } from "../operations/operation.ts";
import type { Personal, Result } from "../outcomes/outcome.ts";
import { mask } from "../secrets/mask.ts";
import { Secret } from "../secrets/secret.ts";
import type { JsonObject } from "./json.ts";

/** Secret, but of a provider's own making: a reply may well repeat them. */
const REFERENCES: ReadonlySet<string> = new Set(["otp_ref_id", "reference_tid", "reference_id"]);

/**
 * What a call was given in secret, to look for in its reply: a provider may echo it anywhere, and what repeats it is not
 * kept in clear. Texts of fewer than four characters occur everywhere and are not looked for.
 */
export class Planted {
  readonly #texts: string[] = [];

  constructor(input: OpenInput) {
    for (const field in input) {
      const value = input[field];
      if (!(value instanceof Secret) || REFERENCES.has(field)) continue;
      const text = value.open();
      if (text.length >= 4) this.#texts.push(text.toLowerCase());
    }
  }

  /** Also where the digits of a long number are grouped (`9999-9999-0019`). */
  isIn(candidate: string): boolean {
    const text = candidate.toLowerCase();
    const digits = text.replaceAll(/\D/g, "");
    return this.#texts.some(
      (planted) => text.includes(planted) || (/^\d{10,}$/.test(planted) && digits.includes(planted)),
    );
  }
}

/** Longest reference that is kept: the longest seen has some 160 characters (facts/eko §6). */
const LONGEST_REFERENCE = 1024;

/** A reference as text: opaque, never empty. Null for anything that cannot be one. */
export function referenceOf(value: unknown): string | null {
  if (typeof value !== "string" && typeof value !== "number") return null;
  const text = String(value).trim();
  return text === "" || text.length > LONGEST_REFERENCE ? null : text;
}

/** No spaces, no letters of names in other scripts. */
const TOKEN = /^[A-Za-z0-9+/=_.~:-]+$/;

/** References whose form is known. */
const FORMS: ReadonlyMap<string, RegExp> = new Map([
  ["client_ref_id", /^[A-Za-z0-9_-]{1,20}$/],
  ["user_code", /^[A-Za-z0-9]{8,11}$/],
]);

export interface Sifted {
  readonly result: Result;
  readonly personal: Personal;
}

/**
 * Divides a reply's data: the references named in `keeps` go to the result, all else is personal. So is a reference that
 * is no token or repeats something secret of the input (`mobile~mobile~Channel4~id~id`, facts/eko §6): it keeps its name,
 * and is sealed.
 */
export function sift(data: JsonObject, keeps: readonly string[], planted: Planted): Sifted {
  const result: [string, string][] = [];
  const personal: [string, unknown][] = [];
  for (const [field, value] of Object.entries(data)) {
    if (value === null || value === "") continue;
    const reference = keeps.includes(field) ? referenceOf(value) : null;
    const isToken = reference !== null && (FORMS.get(field) ?? TOKEN).test(reference);
    if (isToken && !planted.isIn(reference)) result.push([field, reference]);
    else personal.push([field, reference ?? value]);
  }
  return { result: Object.fromEntries(result), personal: Object.fromEntries(personal) };
}

/** The provider's masked number in our form, `XXXX XXXX 0000`: only its last four digits are taken. Null without them. */
export function maskedAadhaar(value: unknown): string | null {
  const lastFour = typeof value === "string" ? /\d{4}$/.exec(value.trim())?.[0] : undefined;
  return lastFour === undefined ? null : mask("aadhaar", `00000000${lastFour}`);
}
