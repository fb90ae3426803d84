import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { SatyapanError } from "../../src/base/error.ts";
import { badFile } from "./decode-text.ts";

/** How a gzip stream begins (RFC 1952). */
const MAGIC = [0x1f, 0x8b];

/** A table of persons shrinks to a third or a tenth. What grows a hundredfold past this many bytes was made to fill a disk. */
const BOMB = { times: 100, past: 16 * 1_048_576 };

/** The content itself, or what is in it where it is a gzip stream, by how it begins. Throws SatyapanError `bad-file`. */
export async function* gunzipped(path: string, content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const pieces = content[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  let isDone = false;
  while (head.length < MAGIC.length && !isDone) {
    const next = await pieces.next();
    isDone = next.done === true;
    if (next.done !== true) head = Buffer.concat([head, next.value]);
  }
  const all = continued(head, pieces);
  yield* MAGIC.every((byte, index) => head[index] === byte) ? unpacked(path, all) : all;
}

async function* continued(head: Buffer, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield head;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

async function* unpacked(path: string, content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: 65_536 });
  // Its errors come out of the stream, as the content's do.
  pipeline(Readable.from(content), gunzip, () => {});
  let size = 0;
  try {
    for await (const piece of gunzip as AsyncIterable<Uint8Array>) {
      size += piece.length;
      if (size > BOMB.past && size > BOMB.times * gunzip.bytesWritten) {
        throw badFile(path, null, `is a gzip file that grows more than ${BOMB.times} times: it is no table of persons`);
      }
      yield piece;
    }
  } catch (cause) {
    if (cause instanceof SatyapanError) throw cause;
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unreadable";
    const why = code === "Z_BUF_ERROR" ? "ends too early: it was not copied whole" : `is damaged (${code})`;
    throw badFile(path, null, `is a gzip file that ${why}`);
  }
}
