/** A row that came back mended: how often, and where its newest values lie. */
export interface Mending {
  /** From 1. The file that mends it says how often it was before: an older one changes nothing. */
  readonly times: number;
  /** The chunk of its input and columns, and its place there. */
  readonly chunk: string;
  readonly index: number;
}

/** By row. */
export type Mendings = ReadonlyMap<number, Mending>;

/** The name of the n-th chunk that one repair brings; those that a file brought have numbers alone. */
export function mendedChunk(repair: string, n: number): string {
  return `${repair}.${n}`;
}

/** The part of `packMending` behind the number of times. */
export function mendedPlace({ chunk, index }: Pick<Mending, "chunk" | "index">): string {
  return `${chunk} ${index}`;
}

/** `3 CHUNK INDEX`, as a batch's `:mended` has it; null for what is none. */
export function parseMending(text: string): Mending | null {
  const [times, chunk, index] = text.split(" ");
  if (chunk === undefined || index === undefined) return null;
  return { times: Number(times), chunk, index: Number(index) };
}
