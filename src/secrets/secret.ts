import { createSecretKey, type KeyObject } from "node:crypto";
import { inspect } from "node:util";
import type { MaskName } from "./mask.ts";
import { mask } from "./mask.ts";

/**
 * A value that cannot be printed: `String()`, template literals, `JSON.stringify`, `util.inspect` and pino all show its
 * mask. The clear value leaves only through `open()`, so that `grep "\.open()"` lists every place that sees one
 * (design §4 rule 1), and that of a key through `asKey()`, as an object that shows nothing of it.
 */
export class Secret {
  readonly #value: string;
  readonly maskName: MaskName;
  #keyObject: KeyObject | null = null;

  constructor(value: string, maskName: MaskName = "hidden") {
    this.#value = value;
    this.maskName = maskName;
  }

  /** The clear value: only while a provider request is built, a value is sealed, or a reply is read. */
  open(): string {
    return this.#value;
  }

  /** Of base64 text, its bytes as a key; made once, because that takes as long as what is done with it. Prints none of them. */
  asKey(): KeyObject {
    this.#keyObject ??= createSecretKey(this.#value, "base64");
    return this.#keyObject;
  }

  /** Shows at most what the mask allows, for example `XXXX XXXX 9012`. */
  toString(): string {
    // What only looks like a Secret (a proxy of one, its prototype) has no value: printing must not throw for it.
    return #value in this ? mask(this.maskName, this.#value) : mask("hidden", "");
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return `Secret(${this.toString()})`;
  }
}
