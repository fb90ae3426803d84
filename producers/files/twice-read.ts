import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { addAbortSignal, type Readable } from "node:stream";
import { SatyapanError } from "../../src/base/error.ts";
import { badFile } from "./decode-text.ts";
import { notToItsEnd, unreadable } from "./read-input.ts";
import { SealedSpill } from "./sealed-spill.ts";

/** Bytes that are read twice, the same both times, in little memory. */
export interface TwiceRead extends AsyncDisposable {
  pieces(): AsyncIterable<Uint8Array>;
}

/** A piece of a file, in bytes. */
const PIECE = 65_536;
/** Of what is piped, this much is kept in memory, in bytes; the rest goes into a sealed file. */
const MOST_IN_MEMORY = 8 * 1_048_576;

/** A file, or what is piped through that name (`/dev/stdin`, a shell's `<(…)`). `tmpDir`, `signal`: see `pipedTwice`. */
export async function openTwice(path: string, tmpDir: string, signal?: AbortSignal): Promise<TwiceRead> {
  let file: FileHandle;
  let stat: Stats;
  try {
    file = await open(path);
    stat = await file.stat();
  } catch (cause) {
    throw unreadable(path, cause);
  }
  if (stat.isDirectory()) {
    await file.close();
    throw unreadable(path, Object.assign(new Error("a folder"), { code: "EISDIR" }));
  }
  if (stat.isFile()) return new FilePieces(path, file);
  return await pipedTwice(file.createReadStream(), tmpDir, signal);
}

/** Reads a stream to its end; `signal` ends the reading. What is much is kept in a file in `tmpDir`, sealed. */
export async function pipedTwice(
  stream: Readable,
  tmpDir: string,
  signal?: AbortSignal,
  name?: string,
): Promise<TwiceRead> {
  await using stack = new AsyncDisposableStack();
  const kept: Uint8Array[] = [];
  let size = 0;
  let spill: SealedSpill | null = null;
  try {
    if (signal !== undefined) addAbortSignal(signal, stream);
    for await (const piece of stream as AsyncIterable<Uint8Array>) {
      size += piece.length;
      if (size <= MOST_IN_MEMORY) kept.push(piece);
      else await (spill ??= stack.use(await SealedSpill.open(tmpDir))).add(piece);
    }
  } catch (cause) {
    throw cause instanceof SatyapanError ? cause : notToItsEnd(cause, name);
  }
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for (const piece of kept) yield await Promise.resolve(piece);
    if (spill !== null) yield* spill.pieces();
  };
  const opened = stack.move();
  return { pieces, [Symbol.asyncDispose]: async () => await opened.disposeAsync() };
}

/** Read piece by piece. What the second pass reads is compared with the first, before anything of it is used. */
class FilePieces implements TwiceRead {
  readonly #path: string;
  readonly #file: FileHandle;
  /** The digest of each piece in the first pass: 16 bytes for 64 KiB. */
  readonly #digests: string[] = [];
  #isRead = false;

  constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    let index = 0;
    for (let at = 0; ; index++) {
      const piece = await this.#read(at);
      const digest = createHash("sha256").update(piece).digest("base64").slice(0, 22);
      if (!this.#isRead) this.#digests.push(digest);
      else if (this.#digests[index] !== digest) throw badFile(this.#path, null, "was changed while it was read");
      if (piece.length === 0) break;
      at += piece.length;
      yield piece;
    }
    this.#isRead = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  /** The bytes from there on, at most `PIECE`. */
  async #read(at: number): Promise<Uint8Array> {
    const piece = Buffer.allocUnsafe(PIECE);
    let length = 0;
    while (length < PIECE) {
      const { bytesRead } = await this.#file.read(piece, length, PIECE - length, at + length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return piece.subarray(0, length);
  }
}
