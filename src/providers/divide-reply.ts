import type { Personal, Result } from "../outcomes/outcome.ts";
import { mask } from "../secrets/mask.ts";
import type { EchoGuard } from "./echo-guard.ts";
import type { JsonObject } from "./json.ts";

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

const NOTHING: ReadonlySet<string> = new Set();

export interface DividedReply {
  readonly result: Result;
  readonly personal: Personal;
}

/**
 * Divides a reply's data: the references named in `keeps` go to the result, all else is personal. So is a reference that
 * is no token or repeats something secret of the input (`mobile~mobile~Channel4~id~id`, facts/eko §6): it keeps its name,
 * and is sealed. `leavesOut`: fields that are not kept at all.
 */
export function divideReply(
  data: JsonObject,
  keeps: readonly string[],
  echoGuard: EchoGuard,
  leavesOut: ReadonlySet<string> = NOTHING,
): DividedReply {
  const result: Record<string, string> = {};
  const personal: [string, unknown][] = [];
  for (const [field, value] of Object.entries(data)) {
    if (value === null || value === "" || leavesOut.has(field)) continue;
    const reference = keeps.includes(field) ? referenceOf(value) : null;
    const isToken = reference !== null && (FORMS.get(field) ?? TOKEN).test(reference);
    if (isToken && !echoGuard.hasEcho(reference)) result[field] = reference;
    else personal.push([field, reference ?? value]);
  }
  return { result, personal: Object.fromEntries(personal) };
}

/** The provider's masked number in our form, `XXXX XXXX 0000`: only its last four digits are taken. Null without them. */
export function maskedAadhaar(value: unknown): string | null {
  const lastFour = typeof value === "string" ? /\d{4}$/.exec(value.trim())?.[0] : undefined;
  return lastFour === undefined ? null : mask("aadhaar", `00000000${lastFour}`);
}
