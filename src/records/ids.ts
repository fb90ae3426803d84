import { randomBytes } from "node:crypto";
import { ErrorCode, SatyapanError } from "../error.ts";
import { isVerhoeffValid } from "../privacy/verhoeff.ts";

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";

/**
 * 20 characters of `[0-9a-z]`: base36 milliseconds (8) and 62 random bits (12). Fits Eko's `client_ref_id`
 * (`^[A-Za-z0-9_-]{1,20}$`, "as unique as possible, even against other partners": facts/eko §6) and sorts by time.
 */
export function newId(now: number, random: (size: number) => Uint8Array = randomBytes): string {
  let id = now.toString(36).padStart(8, "0");
  // 252 = 7 × 36: bytes above it would make some characters likelier than others.
  while (id.length < 20)
    for (const byte of random(16)) if (byte < 252 && id.length < 20) id += ALPHABET[byte % 36] ?? "";
  return id;
}

/** A caller's own id: 1–64 of `A–Z a–z 0–9 . _ -`, and nothing in it that could be a person's number (design §4 rule 1). */
export function checkOwnId(id: string): string {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(id)) {
    throw new SatyapanError(ErrorCode.BAD_INPUT, "id: 1 to 64 characters of A-Z a-z 0-9 . _ - are allowed");
  }
  const runs = id.match(/\d{12,}/g) ?? [];
  if (runs.some((run) => /^[2-9]\d{11}$/.test(run) && isVerhoeffValid(run))) {
    throw new SatyapanError(
      ErrorCode.BAD_INPUT,
      "id: holds what looks like an Aadhaar number; use a reference of your own",
    );
  }
  return id;
}
