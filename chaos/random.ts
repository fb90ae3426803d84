import { createHash } from "node:crypto";
import { seededRandom } from "../simulator/draw.ts";

export interface Dice {
  /** 0 ≤ n < 1. */
  readonly next: () => number;
  /** True with these odds, 0–1. */
  readonly chance: (probability: number) => boolean;
  readonly pick: <T>(list: readonly T[]) => T;
  /** Evenly spread. */
  readonly between: (least: number, most: number) => number;
  /** Exponentially spread around a mean: gaps between events that come by themselves. */
  readonly gap: (mean: number) => number;
}

/** One stream of chance per purpose, so that more draws for one do not change another. */
export function dice(seed: number, purpose: string): Dice {
  const next = seededRandom(createHash("sha256").update(`${seed} ${purpose}`).digest().readUInt32BE(0));
  return {
    next,
    chance: (probability) => next() < probability,
    pick: (list) => {
      const chosen = list[Math.floor(next() * list.length)];
      if (chosen === undefined) throw new RangeError("pick needs a list with something in it");
      return chosen;
    },
    between: (least, most) => least + next() * (most - least),
    gap: (mean) => -mean * Math.log(1 - next()),
  };
}
