import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { Secret } from "../../secrets/secret.ts";
import type { Opener } from "./opener.ts";
import { type SealedFor, type Sealer, unreadable } from "./sealed-text.ts";

/** One chunk holds some hundred rows, far less than this; what unpacks to more is none of ours. In bytes. */
const LONGEST = 64 << 20;

/**
 * Many values in one sealed and compressed piece: rows that wait, results that are kept. Secrets go in opened; compressed
 * first, because sealed bytes do not compress. `associated` binds it to its batch and place.
 */
export function sealChunk(sealer: Sealer, values: readonly unknown[], associated: SealedFor): Buffer {
  // Before `toJSON`, which would give the mask.
  const json = JSON.stringify(opened(values));
  return sealer.sealBytes(zstdCompressSync(json), associated);
}

/** What `sealChunk` was given, with secrets in clear. Throws SatyapanError as `Opener.open`. */
export function openChunk(opener: Opener, sealed: Uint8Array, associated: SealedFor): unknown[] {
  const packed = opener.openBytes(sealed, associated);
  try {
    const values: unknown = JSON.parse(zstdDecompressSync(packed, { maxOutputLength: LONGEST }).toString("utf8"));
    if (Array.isArray(values)) return values;
  } catch {
    // without its cause, which may quote what was sealed
  }
  throw unreadable(associated);
}

function opened(value: unknown): unknown {
  if (value instanceof Secret) return value.open();
  if (Array.isArray(value)) return value.map(opened);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, opened(part)]));
}
