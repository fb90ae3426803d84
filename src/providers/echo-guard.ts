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

  constructor(input: OpenInput) {
    for (const field in input) {
      const value = input[field];
      if (!(value instanceof Secret) || REFERENCES.has(field)) continue;
      const text = value.open();
      if (text.length >= 4) this.#texts.push(text.toLowerCase());
    }
  }

  /** Whether the text repeats something secret, also where the digits of a long number are grouped (`9999-9999-0019`). */
  hasEcho(text: string): boolean {
    const lower = text.toLowerCase();
    const digits = lower.replaceAll(/\D/g, "");
    return this.#texts.some(
      (secret) => lower.includes(secret) || (/^\d{10,}$/.test(secret) && digits.includes(secret)),
    );
  }
}
