import { zstdDecompressSync } from "node:zlib";

/**
 * What a plain search of a dump misses. Redis packs short hashes, sets, lists and streams: a text that is a number is
 * written as 8 bytes, and texts of more than 20 bytes are compressed (LZF). Found by their form, wherever they stand, so
 * that no version of the format has to be known: a compressed text is one that unpacks to exactly the length it says.
 */

/** First byte of a compressed text: `11` and encoding 3 (rdb.h, RDB_ENC_LZF). */
const COMPRESSED = 0xc3;
/** Longer ones are not looked into, in bytes. */
const LONGEST_UNPACKED = 16 << 20;
/** Before an integer of 8 bytes: in a listpack (which says its length, 9, after it) and in a ziplist. */
const LISTPACK_INT = 0xf4;
const LISTPACK_INT_LENGTH = 9;
const ZIPLIST_INT = 0xe0;
/** An intset begins with the size of its integers, in 4 bytes. */
const INTSET_INT = 8;

export interface Unpacked {
  /** The place of its first byte. */
  readonly at: number;
  readonly bytes: Buffer;
}

/** First bytes of a Zstandard frame (RFC 8878 §3.1.1): the audit log's older entries, the rows of a batch. */
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** What a value of Redis says: unpacked, where it is a Zstandard frame. */
export function unzipped(bytes: Buffer): Buffer {
  return bytes.subarray(0, ZSTD.length).equals(ZSTD) ? (unzip(bytes) ?? bytes) : bytes;
}

/** Null: it is no whole frame, or too long a one. */
function unzip(bytes: Buffer): Buffer | null {
  try {
    return zstdDecompressSync(bytes, { maxOutputLength: LONGEST_UNPACKED });
  } catch {
    return null;
  }
}

/** Compressed texts that begin before `end`. */
export function* unpackAll(bytes: Buffer, end = bytes.length): Generator<Unpacked> {
  for (let at = bytes.indexOf(ZSTD); at >= 0 && at < end; at = bytes.indexOf(ZSTD, at + 1)) {
    const unpacked = unzip(bytes.subarray(at)); // whatever comes after its frame
    if (unpacked !== null) yield { at, bytes: unpacked };
  }
  for (let at = bytes.indexOf(COMPRESSED); at >= 0 && at < end; at = bytes.indexOf(COMPRESSED, at + 1)) {
    const packed = lengthAt(bytes, at + 1);
    const whole = packed && lengthAt(bytes, packed.end);
    if (!whole || packed.value === 0 || whole.value <= packed.value || whole.value > LONGEST_UNPACKED) continue;
    if (whole.end + packed.value > bytes.length) continue;
    const unpacked = unpack(bytes.subarray(whole.end, whole.end + packed.value), whole.value);
    if (unpacked !== null) yield { at, bytes: unpacked };
  }
}

/** Numbers of twelve digits that are written as 8 bytes, as text; only those that begin before `end`. */
export function* integersIn(
  bytes: Buffer,
  end = bytes.length,
): Generator<{ readonly at: number; readonly text: string }> {
  const numberAt = (at: number): string | null => {
    // Twelve digits fit in 5 bytes.
    if (at + 8 > bytes.length || bytes.readUIntLE(at + 5, 3) !== 0) return null;
    const value = bytes.readUIntLE(at, 5);
    return value >= 2e11 && value < 1e12 ? String(value) : null;
  };
  for (const [marker, after] of [
    [LISTPACK_INT, LISTPACK_INT_LENGTH],
    [ZIPLIST_INT, null],
  ] as const) {
    for (let at = bytes.indexOf(marker); at >= 0 && at < end; at = bytes.indexOf(marker, at + 1)) {
      const text = numberAt(at + 1);
      if (text !== null && (after === null || bytes[at + 9] === after)) yield { at, text };
    }
  }
  const intset = Buffer.from([INTSET_INT, 0, 0, 0]);
  for (let at = bytes.indexOf(intset); at >= 0 && at < end; at = bytes.indexOf(intset, at + 1)) {
    if (at + 8 > bytes.length) return;
    const count = bytes.readUInt32LE(at + 4);
    for (let index = 0; index < count && at + 16 + 8 * index <= bytes.length; index += 1) {
      const text = numberAt(at + 8 + 8 * index);
      if (text !== null) yield { at: at + 8 + 8 * index, text };
    }
  }
}

/** A length as the RDB writes it: 6 bits, 14 bits, or 4 bytes. */
function lengthAt(bytes: Buffer, at: number): { readonly value: number; readonly end: number } | null {
  const first = bytes[at];
  if (first === undefined) return null;
  if (first >> 6 === 0) return { value: first & 0x3f, end: at + 1 };
  if (first >> 6 === 1) return at + 2 > bytes.length ? null : { value: bytes.readUInt16BE(at) & 0x3fff, end: at + 2 };
  return first !== 0x80 || at + 5 > bytes.length ? null : { value: bytes.readUInt32BE(at + 1), end: at + 5 };
}

/** LZF: a control byte n below 32 copies n + 1 bytes, any other repeats what was written before. */
function unpack(packed: Buffer, length: number): Buffer | null {
  const written = Buffer.alloc(length);
  let to = 0;
  let at = 0;
  while (at < packed.length) {
    const control = packed[at++] ?? 0;
    if (control < 32) {
      const end = at + control + 1;
      if (end > packed.length || to + control + 1 > length) return null;
      to += packed.copy(written, to, at, end);
      at = end;
      continue;
    }
    let count = control >> 5;
    if (count === 7) count += packed[at++] ?? 0;
    let from = to - ((control & 0x1f) << 8) - (packed[at++] ?? 0) - 1;
    count += 2;
    if (from < 0 || at > packed.length || to + count > length) return null;
    for (; count > 0; count -= 1) written[to++] = written[from++] ?? 0;
  }
  return to === length ? written : null;
}
