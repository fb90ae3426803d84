import { placeOf } from "./chunks.ts";

/** A row that runs again: because somebody mended it, or because nobody answered. */
export interface Rerun {
  /** How often it came back mended. The file that mends it says how often it did before: an older one changes nothing. */
  readonly repaired: number;
  /** How often its person was asked again for a code. */
  readonly askedAgain: number;
  /** The same since it was mended last: that is bounded. */
  readonly askedSince: number;
  /** The chunk of its input and columns, and its place there. */
  readonly chunk: string;
  readonly index: number;
}

/** By row. */
export type Reruns = ReadonlyMap<number, Rerun>;

/** Which time it is that a row runs, from 0: each time is another job. */
export function runOf(rerun: Pick<Rerun, "repaired" | "askedAgain"> | undefined): number {
  return rerun === undefined ? 0 : rerun.repaired + rerun.askedAgain;
}

/** The next run of a row whose person did not answer, with the same input; null: it was asked as often as it may be. */
export function askAgain(row: number, rerun: Rerun | undefined, resends: number): Rerun | null {
  if ((rerun?.askedSince ?? 0) >= resends) return null;
  const { chunk, index } = placeOf(row);
  const first = { repaired: 0, askedAgain: 0, askedSince: 0, chunk: String(chunk), index };
  const before = rerun ?? first;
  return { ...before, askedAgain: before.askedAgain + 1, askedSince: before.askedSince + 1 };
}

/** The name of the n-th chunk that one repair brings; those that a file brought have numbers alone. */
export function mendedChunk(repair: string, n: number): string {
  return `${repair}.${n}`;
}

/** As a batch's `:again` has it, behind how often it was mended, and how often its person was asked again. */
export function rerunPlace({ chunk, index }: Pick<Rerun, "chunk" | "index">): string {
  return `${chunk} ${index}`;
}

export function packRerun(rerun: Rerun): string {
  const { repaired, askedAgain, askedSince } = rerun;
  return `${repaired} ${askedAgain} ${askedSince} ${rerunPlace(rerun)}`;
}

/** Null for what `packRerun` did not write. */
export function parseRerun(text: string): Rerun | null {
  const [repaired, askedAgain, askedSince, chunk, index] = text.split(" ");
  if (chunk === undefined || index === undefined) return null;
  const numbers = { repaired: Number(repaired), askedAgain: Number(askedAgain), askedSince: Number(askedSince) };
  return { ...numbers, chunk, index: Number(index) };
}
