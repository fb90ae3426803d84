import type { RetentionTimes } from "../records/settings.ts";

/** Where it is kept who is onboarded or in which row: small hashes, because a key for each person would cost thrice the memory. */
export interface PersonPlace {
  /** Of 32,768: a million persons are some thirty each. */
  readonly shard: string;
  /** The rest of the subject's first 96 bits. */
  readonly person: string;
}

/** `subject`: 22 characters of base64url. */
export function personPlace(subject: string): PersonPlace {
  const bits = Buffer.from(subject.slice(0, 4), "base64url").readUInt16BE(0) >> 1;
  return { shard: bits.toString(36), person: subject.slice(2, 16) };
}

export const NOBODY: PersonPlace = { shard: "", person: "" };

/**
 * Persons of one flow, or of one operation of a batch, are remembered as long as a batch is: the span of time that now is in, and how
 * long its keys stay.
 */
export function personArgs(target: string, { recordMs }: RetentionTimes, now: number) {
  return { persons: `batch:persons:${target}:`, age: Math.floor(now / recordMs), keep_ms: 2 * recordMs };
}
