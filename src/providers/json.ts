import { isJsonObject } from "../base/json.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** Deeper than any reply documented; what nests deeper is read by nobody, and could not be written as JSON again. */
const LEVELS = 32;

/**
 * A reply's body as a JSON object; null where it is none (HTML, empty, a list, cut off) or nests too deep.
 * Whole numbers that JSON.parse would round come as the text they were written as: a reference must not change.
 */
export function parseJsonObject(text: string | null): JsonObject | null {
  if (text === null) return null;
  try {
    // A reviver makes parsing five times as slow, and only a number of 16 digits or more can be rounded.
    const value: unknown = hasLongNumber(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
    return isJsonObject(value) && nestsWithin(value, LEVELS) ? value : null;
  } catch {
    return null;
  }
}

/** Digits of a number that JSON.parse may round. */
const LONG = 16;

/** Of any 16 characters in a row one is looked at: a regular expression would cost as much as parsing. */
function hasLongNumber(text: string): boolean {
  for (let at = LONG - 1; at < text.length; at += LONG) {
    if (!isDigit(text, at)) continue;
    let [from, to] = [at, at + 1];
    while (isDigit(text, from - 1)) from--;
    while (isDigit(text, to)) to++;
    if (to - from >= LONG) return true;
  }
  return false;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}

/** The third argument came with ES2026 (`JSON.parse` source text access). */
function keepDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const rounded = typeof value === "number" && !Number.isSafeInteger(value) && Number.isInteger(value);
  return rounded ? (context?.source ?? value) : value;
}

function nestsWithin(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (levels === 0) return false;
  if (Array.isArray(value)) return value.every((inner) => nestsWithin(inner, levels - 1));
  // Of what JSON.parse made: all of its fields are its own.
  for (const name in value) if (!nestsWithin((value as JsonObject)[name], levels - 1)) return false;
  return true;
}

/** A code as a number, also where it was sent as text (`"0"`); null for anything else. */
export function codeOf(value: unknown): number | null {
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : null;
  return typeof value === "string" && /^-?\d{1,9}$/.test(value) ? Number(value) : null;
}
