import { randomFillSync } from "node:crypto";
import { ErrorCode, SatyapanError } from "../base/error.ts";
import { findNumbers } from "../secrets/find-numbers.ts";
import { ID_FORM } from "../base/id-form.ts";

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";
const TIME_DIGITS = 8;
/** A job's id: its attempts' `client_ref_id` is that and two characters more. */
const JOB_ID_LENGTH = 18;
/** What Eko takes at most: `^[A-Za-z0-9_-]{1,20}$`. */
const REFERENCE_LENGTH = 20;
const BATCH_ID_LENGTH = 10;
/** The job of a row, and the two characters of an attempt: a batch has less than ten million rows. */
const ROW_REFERENCE = /^(b[0-9a-z]{9}-[1-9]\d{0,6})[0-9a-z]{2}$/;
/** The number of random bytes made at once: asked for by the dozen they cost ten times as much. */
const POOL_BYTES = 4_096;

export interface Ids {
  /** 18 characters of `[0-9a-z]`: base36 milliseconds (8) and 51 random bits (10). Sorts by time. */
  job(now: number): string;
  /** 20 characters: a `client_ref_id`, "as unique as possible, even against other partners" (facts/eko §6). */
  reference(now: number): string;
  /** 10 characters, `b` and 46 random bits. The job of its row n is `BATCH-n`, short enough for a `client_ref_id` of its own. */
  batch(): string;
}

/** `fill` fills a buffer with random bytes. */
export function createIds(fill: (bytes: Buffer) => void = (bytes) => void randomFillSync(bytes)): Ids {
  const pool = Buffer.alloc(POOL_BYTES);
  let used = POOL_BYTES;
  const nextByte = (): number => {
    if (used === POOL_BYTES) {
      fill(pool);
      used = 0;
    }
    return pool[used++] ?? 0;
  };
  const filled = (begin: string, length: number): string => {
    let text = begin;
    while (text.length < length) {
      const byte = nextByte();
      // 252 = 7 × 36: bytes above it would make some characters likelier than others.
      if (byte < 252) text += ALPHABET[byte % 36] ?? "";
    }
    return text;
  };
  const id = (now: number, length: number): string => filled(now.toString(36).padStart(TIME_DIGITS, "0"), length);
  return {
    job: (now) => id(now, JOB_ID_LENGTH),
    reference: (now) => id(now, REFERENCE_LENGTH),
    batch: () => filled("b", BATCH_ID_LENGTH),
  };
}

/** The generated job id whose attempt this `client_ref_id` may be of; null: it was not derived from one. */
export function jobIdInReference(clientRefId: string): string | null {
  if (/^[0-9a-z]{20}$/.test(clientRefId)) return clientRefId.slice(0, JOB_ID_LENGTH);
  return ROW_REFERENCE.exec(clientRefId)?.[1] ?? null;
}

export function isBatchId(text: string): boolean {
  return /^b[0-9a-z]{9}$/.test(text);
}

/** A caller's own id: 1–64 of `A–Z a–z 0–9 . _ -`, and nothing in it that could be a person's number (design §4 rule 1). */
export function checkOwnId(id: string): string {
  if (!ID_FORM.test(id)) {
    throw new SatyapanError(ErrorCode.BAD_INPUT, "id: 1 to 64 characters of A-Z a-z 0-9 . _ - are allowed");
  }
  if (findNumbers(id).length > 0) {
    throw new SatyapanError(
      ErrorCode.BAD_INPUT,
      "id: holds what looks like an Aadhaar number; use a reference of your own",
    );
  }
  return id;
}
