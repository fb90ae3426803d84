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
    const value: unknown = /\d{16}/.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
    return isJsonObject(value) && nestsWithin(value, LEVELS) ? value : null;
  } catch {
    return null;
  }
}

/** The third argument came with ES2026 (`JSON.parse` source text access). */
function keepDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const rounded = typeof value === "number" && !Number.isSafeInteger(value) && Number.isInteger(value);
  return rounded ? (context?.source ?? value) : value;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function nestsWithin(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (levels === 0) return false;
  for (const inner of Object.values(value)) if (!nestsWithin(inner, levels - 1)) return false;
  return true;
}

/** A code as a number, also where it was sent as text (`"0"`); null for anything else. */
export function codeOf(value: unknown): number | null {
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : null;
  return typeof value === "string" && /^-?\d{1,9}$/.test(value) ? Number(value) : null;
}
