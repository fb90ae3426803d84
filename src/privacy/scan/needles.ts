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

/** No form is shorter: by so many characters it is found where it may begin. */
const HEAD = 4;

interface Form {
  readonly text: string;
  readonly needle: Needle;
  /** `base64`; null: as it is. */
  readonly encoding: string | null;
  /** Digits alone (an OTP, a mobile number) count only where they are not part of a longer number. */
  readonly isNumber: boolean;
}

/**
 * Looks for known values in texts whose characters are bytes (latin1), in all forms in which they may have been written:
 * as they are, as JSON and URLs escape them, in hex, and in base64, also within a longer base64 text. One pass, however many
 * there are.
 */
export class Needles {
  /** By how they begin, the longest first: `base64` before what it begins with. */
  readonly #forms = new Map<number, Form[]>();
  /** What the table of forms may have: most places in a text are told by it from where a form begins. */
  readonly #heads = new Uint8Array(1 << 16);
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
    const all = [...forms.values()].toSorted((a, b) => b.text.length - a.text.length);
    for (const form of all) {
      const head = headOf(form.text);
      this.#heads[slotOf(head)] = 1;
      this.#forms.set(head, [...(this.#forms.get(head) ?? []), form]);
    }
    this.tooShort = tooShort;
    this.longest = all[0]?.text.length ?? 0;
    this.size = needles.length - tooShort.length;
  }

  find(text: string): Found[] {
    const found: Found[] = [];
    if (this.size === 0) return found;
    let head = 0;
    // What is found is not looked into: `from` is behind it.
    for (let next = 0, from = 0; next < text.length; next++) {
      head = nextHead(head, text.charCodeAt(next));
      const at = next + 1 - HEAD;
      if (at < from || this.#heads[slotOf(head)] === 0) continue;
      const form = this.#forms.get(head)?.find((one) => isAt(text, at, one));
      if (form === undefined) continue;
      from = at + form.text.length;
      const { needle, encoding } = form;
      const what = encoding === null ? needle.name : `${needle.name} in ${encoding}`;
      found.push({ kind: needle.kind, what, shown: mask("hidden", form.text), at, end: from });
    }
    return found;
  }
}

/** Four characters as the bytes of one number; `code` comes after the three last of `head`. */
function nextHead(head: number, code: number): number {
  return (head << 8) | (code & 0xff);
}

function headOf(text: string): number {
  let head = 0;
  for (let at = 0; at < HEAD; at++) head = nextHead(head, text.charCodeAt(at));
  return head;
}

/** Multiplied by the golden ratio's share of 2 ** 32, whose upper half is spread evenly (Knuth). */
function slotOf(head: number): number {
  return Math.imul(head, 0x9e3779b1) >>> 16;
}

function isAt(text: string, at: number, form: Form): boolean {
  if (!text.startsWith(form.text, at)) return false;
  return !form.isNumber || !(isDigit(text, at - 1) || isDigit(text, at + form.text.length));
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0x30 && code <= 0x39;
}

function formsOf(needle: Needle): Form[] {
  const value = needle.value.slice(0, LONGEST);
  const bytes = Buffer.from(value);
  const form = (text: string, encoding: string | null): Form => {
    return { text, needle, encoding, isNumber: /^\d+$/.test(text) };
  };
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
