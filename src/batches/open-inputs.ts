import type { Batch } from "./batch.ts";
import type { ChunkName, Chunks, OpenChunk } from "./chunks.ts";

/** How long inputs lie open from when they were opened, in ms: at full speed the rows of a chunk are handed over by then. */
const OPEN_MS = 1_000;
/** Chunks that lie open at once, of all batches together: some hundred rows each. */
const MOST_OPEN = 32;

interface Lying extends OpenChunk {
  readonly openedAt: number;
}

/**
 * The inputs of rows that are being handed over. That is done in many small steps, and a chunk is opened once for those of one second, not
 * for each: so long its values lie here in clear, and not where anything could print them. What cannot be opened any more is not given
 * from here either.
 */
export class OpenInputs {
  readonly #chunks: Pick<Chunks, "open" | "stillOpens">;
  readonly #now: () => number;
  /** By batch and chunk, in the order in which they were opened. */
  readonly #lying = new Map<string, Lying>();

  constructor(chunks: Pick<Chunks, "open" | "stillOpens">, now: () => number) {
    this.#chunks = chunks;
    this.#now = now;
  }

  /** The values of a chunk, or null where there is none. Throws as `Chunks.open`. */
  async of({ queue, id }: Pick<Batch, "queue" | "id">, chunk: ChunkName): Promise<readonly unknown[] | null> {
    this.closeOld();
    const name = `${queue} ${id} ${chunk}`;
    const lying = this.#lying.get(name);
    if (lying !== undefined && (await this.#chunks.stillOpens(lying))) return lying.values;
    this.#lying.delete(name);
    const openedAt = this.#now();
    const opened = await this.#chunks.open(queue, id, "in", chunk);
    if (opened === null) return null;
    this.#lying.set(name, { ...opened, openedAt });
    for (const oldest of this.#lying.keys()) if (this.#lying.size > MOST_OPEN) this.#lying.delete(oldest);
    return opened.values;
  }

  /** To be called again and again: nothing lies open longer than its time. A clock that was put back makes nothing fresh. */
  closeOld(): void {
    const now = this.#now();
    for (const [name, { openedAt }] of this.#lying)
      if (now < openedAt || now - openedAt >= OPEN_MS) this.#lying.delete(name);
  }

  closeAll(): void {
    this.#lying.clear();
  }
}
