import type { OpenInput } from "./call.ts";
import { Secret } from "../secrets/secret.ts";

/** Fields that are secret, but made by the provider: a reply may repeat them. */
const REFERENCES: ReadonlySet<string> = new Set(["otp_ref_id", "reference_tid", "reference_id"]);

/**
 * Looks in a reply for what the call was given in secret: a provider may repeat it anywhere, and what repeats it is not kept
 * in clear. Texts of fewer than four characters occur everywhere and are not looked for.
 */
export class EchoGuard {
  readonly #texts: string[] = [];
  /** Those of them that are a long number. */
  readonly #numbers: string[] = [];

  constructor(input: OpenInput) {
    for (const field in input) {
      const value = input[field];
      if (!(value instanceof Secret) || REFERENCES.has(field)) continue;
      const text = value.open();
      if (text.length < 4) continue;
      this.#texts.push(text.toLowerCase());
      if (/^\d{10,}$/.test(text)) this.#numbers.push(text);
    }
  }

  /**
   * Whether the text repeats something secret, also where the digits of a long number are grouped (`9999-9999-0019`), or within what
   * is written in base64 or hex (`otp_ref_id` is, facts/eko §6).
   */
  hasEcho(text: string): boolean {
    return this.#repeats(text) || decodings(text).some((decoded) => this.#repeats(decoded));
  }

  #repeats(text: string): boolean {
    const lower = text.toLowerCase();
    if (this.#texts.some((secret) => lower.includes(secret))) return true;
    if (this.#numbers.length === 0) return false;
    const digits = lower.replaceAll(/\D/g, "");
    return this.#numbers.some((secret) => digits.includes(secret));
  }
}

/** Fewer characters hold no number of a person. */
const BASE64 = /[A-Za-z0-9+/_-]{14,}/g;
const HEX = /[0-9A-Fa-f]{20,}/g;
/** Any three digits in a row have one of these in base64: most references have none, and decoding takes microseconds of every call. */
const BASE64_DIGITS = /[MNO]/;
/** Three digits in a row, in hex. */
const HEX_DIGITS = /(?:3\d){3}/;

/** What each part of the text may stand for; base64 in four ways, for nobody says where it begins. */
function decodings(text: string): string[] {
  const inBase64 = BASE64_DIGITS.test(text) ? [...text.matchAll(BASE64)] : [];
  const inHex = HEX_DIGITS.test(text) ? [...text.matchAll(HEX)] : [];
  const fromBase64 = inBase64.flatMap(([part]) =>
    [0, 1, 2, 3].map((from) => Buffer.from(part.slice(from), "base64").toString("latin1")),
  );
  const fromHex = inHex.flatMap(([part]) =>
    [0, 1].map((from) => Buffer.from(part.slice(from), "hex").toString("latin1")),
  );
  return [...fromBase64, ...fromHex];
}
