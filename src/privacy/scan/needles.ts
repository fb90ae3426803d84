import { mask } from "../../secrets/mask.ts";
import type { Found, FoundKind } from "../../secrets/found.ts";

/** A value that must be found nowhere. */
export interface Needle {
  readonly kind: Exclude<FoundKind, "aadhaar">;
  /** The name of its setting, as a finding shows it. */
  readonly name: string;
  readonly value: string | Uint8Array;
}

/** Below this, in characters, a secret or what it is encoded as occurs by chance, and is not looked for. */
const SHORTEST = 8;
/** Below this, in characters, a value that somebody names is not looked for: an OTP has 4 to 8 digits. */
const SHORTEST_CANARY = 4;
/** The beginning of a long value (a PEM key) that is looked for, in bytes. */
const LONGEST = 512;

interface Form {
  readonly text: string;
  readonly needle: Needle;
  /** `base64`; null: as it is. */
  readonly encoding: string | null;
}

/**
 * Looks for known values in texts whose characters are bytes (latin1), in all forms in which they may have been written:
 * as they are, as JSON and URLs escape them, in hex, and in base64, also within a longer base64 text.
 */
export class Needles {
  readonly #forms: ReadonlyMap<string, Form>;
  readonly #pattern: RegExp | null;
  /** Names of values that are too short to be looked for. */
  readonly tooShort: readonly string[];
  /** In characters. */
  readonly longest: number;
  readonly size: number;

  constructor(needles: readonly Needle[]) {
    const forms = new Map<string, Form>();
    const tooShort: string[] = [];
    for (const needle of needles) {
      if (needle.value.length < (needle.kind === "canary" ? SHORTEST_CANARY : SHORTEST)) tooShort.push(needle.name);
      else for (const form of formsOf(needle)) if (!forms.has(form.text)) forms.set(form.text, form);
    }
    // The longest first: `base64` before what it begins with.
    const texts = [...forms.keys()].toSorted((a, b) => b.length - a.length);
    this.#forms = forms;
    this.#pattern = texts.length === 0 ? null : new RegExp(texts.map(patternOf).join("|"), "g");
    this.tooShort = tooShort;
    this.longest = texts[0]?.length ?? 0;
    this.size = needles.length - tooShort.length;
  }

  find(text: string): Found[] {
    if (this.#pattern === null) return [];
    return Array.from(text.matchAll(this.#pattern), ({ 0: hit, index }): Found => {
      const form = this.#forms.get(hit);
      const { kind, name } = form?.needle ?? { kind: "secret", name: "secret" };
      const what = (form?.encoding ?? null) === null ? name : `${name} in ${form?.encoding}`;
      return { kind, what, shown: mask("hidden", hit), at: index, end: index + hit.length };
    });
  }
}

/** Digits alone (an OTP, a mobile number) count only where they are not part of a longer number. */
function patternOf(text: string): string {
  const literal = text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
  return /^\d+$/.test(text) ? `(?<!\\d)${literal}(?!\\d)` : literal;
}

function formsOf(needle: Needle): Form[] {
  const value = needle.value.slice(0, LONGEST);
  const bytes = Buffer.from(value);
  const form = (text: string, encoding: string | null): Form => ({ text, needle, encoding });
  const encoded = [
    form(bytes.toString("hex"), "hex"),
    form(bytes.toString("hex").toUpperCase(), "hex"),
    ...[0, 1, 2].flatMap((offset) => {
      const text = base64Within(bytes, offset);
      return [form(text, "base64"), form(text.replaceAll("+", "-").replaceAll("/", "_"), "base64")];
    }),
  ];
  if (typeof value === "string") {
    const json = Buffer.from(JSON.stringify(value).slice(1, -1));
    const query = new URLSearchParams([["", value]]).toString().slice(1);
    encoded.push(
      form(json.toString("latin1"), "JSON"),
      form(encodeURIComponent(value), "URL form"),
      form(query, "URL form"),
    );
  }
  return [form(bytes.toString("latin1"), null), ...encoded.filter(({ text }) => text.length >= SHORTEST)];
}

/** The base64 characters of a longer text that depend on these bytes alone, where they begin `offset` bytes into a group of three. */
function base64Within(bytes: Uint8Array, offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
  return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
}
