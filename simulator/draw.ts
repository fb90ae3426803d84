/** Random digits and identifiers from one source, so that a seeded simulator answers the same way twice. */
export class Draw {
  /** 0 ≤ n < 1. */
  readonly random: () => number;

  constructor(random: () => number) {
    this.random = random;
  }

  /** Exactly `count` decimal digits; may begin with 0. */
  digits(count: number): string {
    let text = "";
    while (text.length < count) {
      const size = Math.min(9, count - text.length);
      text += String(Math.floor(this.random() * 10 ** size)).padStart(size, "0");
    }
    return text;
  }

  /** Exactly `count` lower-case hexadecimal digits. */
  hex(count: number): string {
    let text = "";
    while (text.length < count) {
      text += Math.floor(this.random() * 2 ** 32)
        .toString(16)
        .padStart(8, "0");
    }
    return text.slice(0, count);
  }

  uuid(): string {
    const hex = this.hex(32);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
  }

  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + Math.floor(this.random() * (max - min + 1));
  }
}

/** A seedable source for `SimulatorOptions.random` (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
