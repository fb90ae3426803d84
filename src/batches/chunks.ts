import { ErrorCode, SatyapanError } from "../base/error.ts";
import type { QueueName } from "../queues/names.ts";
import type { RedisClient } from "../redis/connection.ts";
import type { DataKeys } from "../privacy/keys/data-keys.ts";
import { batchRowsScope } from "../privacy/sealing/data-key.ts";
import { openChunk, sealChunk } from "../privacy/sealing/sealed-chunk.ts";
import { headOf, type SealedFor } from "../privacy/sealing/sealed-text.ts";
import { batchKey } from "./keys.ts";

/** Enough that they compress well, few enough that one is unpacked in a millisecond. */
export const CHUNK_ROWS = 256;

export type ChunkKind = "in" | "columns" | "out";
/** Its number; of mended rows `mendedChunk`. */
export type ChunkName = number | string;

/** A chunk's values, and what names the key that sealed them. */
export interface OpenChunk {
  readonly values: unknown[];
  readonly head: string;
}

/** The chunk that a row is in, from 0, and its place there. */
export function placeOf(row: number): { readonly chunk: number; readonly index: number } {
  return { chunk: Math.floor((row - 1) / CHUNK_ROWS), index: (row - 1) % CHUNK_ROWS };
}

export function firstRowOf(chunk: number): number {
  return chunk * CHUNK_ROWS + 1;
}

/** The sealed rows of batches. A chunk is a list of one value for each of its rows. */
export class Chunks {
  readonly #redis: RedisClient;
  readonly #dataKeys: DataKeys;

  constructor(redis: RedisClient, dataKeys: DataKeys) {
    this.#redis = redis;
    this.#dataKeys = dataKeys;
  }

  async seal(id: string, kind: ChunkKind, chunk: ChunkName, values: readonly unknown[]): Promise<Buffer> {
    return sealChunk(await this.#dataKeys.sealer(batchRowsScope(id)), values, boundTo(id, kind, chunk));
  }

  /** A chunk's values, or null where there is none. Throws SatyapanError `shredded`, `unknown-key`, `unreadable`. */
  async read(queue: QueueName, id: string, kind: ChunkKind, chunk: ChunkName): Promise<unknown[] | null> {
    return (await this.open(queue, id, kind, chunk))?.values ?? null;
  }

  /** `read`, for who keeps the values for a while. */
  async open(queue: QueueName, id: string, kind: ChunkKind, chunk: ChunkName): Promise<OpenChunk | null> {
    const sealed = await this.#redis.hgetBuffer(`${batchKey(queue, id)}:${kind}`, String(chunk));
    if (sealed === null) return null;
    const head = headOf(sealed);
    const opener = await this.#dataKeys.opener([head]);
    return { values: openChunk(opener, sealed, boundTo(id, kind, chunk)), head };
  }

  /** Whether the key of an open chunk is still there for this process; as a rule nobody is asked. */
  async stillOpens({ head }: OpenChunk): Promise<boolean> {
    return (await this.#dataKeys.opener([head])).scopeOf(head) !== null;
  }

  /** `read`, but null also for what nobody can open any more. */
  async readable(queue: QueueName, id: string, kind: ChunkKind, chunk: ChunkName): Promise<unknown[] | null> {
    try {
      return await this.read(queue, id, kind, chunk);
    } catch (error) {
      if (error instanceof SatyapanError && error.code === ErrorCode.SHREDDED) return null;
      throw error;
    }
  }
}

function boundTo(id: string, kind: ChunkKind, chunk: ChunkName): SealedFor {
  return { operation: "batch", jobId: id, field: `${kind}:${chunk}` };
}
