import { findNumbers } from "../../secrets/find-numbers.ts";
import type { Found } from "../../secrets/found.ts";
import type { Needles } from "./needles.ts";
import { CONTEXT } from "../../secrets/stands-alone.ts";

/** Finds what must not be in a text whose characters are bytes (`latin1`): Aadhaar-like numbers and known values. */
export class Scanner {
  readonly #needles: Needles;
  /** Characters before and after a place that decide what is found there. */
  readonly reach: number;

  constructor(needles: Needles) {
    this.#needles = needles;
    this.reach = Math.max(2 * CONTEXT, needles.longest + 1);
  }

  /** In the order of the text. */
  find(text: string): Found[] {
    const found = [...findNumbers(text), ...this.#needles.find(text)];
    return found.toSorted((a, b) => a.at - b.at);
  }

  /** The text in printable characters, with what is found in it masked. */
  hide(text: string): string {
    let hidden = "";
    let from = 0;
    for (const { at, end, shown } of this.find(text)) {
      if (at < from) continue;
      hidden += text.slice(from, at) + shown;
      from = end;
    }
    return (hidden + text.slice(from)).replaceAll(/[^\x20-\x7e]/g, "?");
  }
}
