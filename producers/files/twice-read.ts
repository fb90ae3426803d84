import { createHash } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";
import { addAbortSignal, type Readable } from "node:stream";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { badFile } from "./decode-text.ts";
import { notToItsEnd, unreadable } from "./read-input.ts";

/** Bytes that are read twice, the same both times; in memory only as far as there is no other way. */
export interface TwiceRead extends AsyncDisposable {
  pieces(): AsyncIterable<Uint8Array>;
}

/** A piece of a file, in bytes. */
const PIECE = 65_536;
/** Standard input is kept in memory, in bytes: in a file, persons' data would stand there in clear. */
const MOST_PIPED = 256 * 1_048_576;

/** A file, or what is piped through that name (`/dev/stdin`, a shell's `<(…)`). */
export async function openTwice(path: string): Promise<TwiceRead> {
  let file: FileHandle;
  let isFile: boolean;
  try {
    file = await open(path);
    const stat = await file.stat();
    if (stat.isDirectory()) throw Object.assign(new Error("a folder"), { code: "EISDIR" });
    isFile = stat.isFile();
  } catch (cause) {
    throw unreadable(path, cause);
  }
  if (isFile) return new FilePieces(path, file);
  return await pipedTwice(file.createReadStream(), `the file ${path}`);
}

/** Reads a stream to its end; `signal` ends the reading. */
export async function pipedTwice(stream: Readable, name: string, signal?: AbortSignal): Promise<TwiceRead> {
  const kept: Uint8Array[] = [];
  let size = 0;
  try {
    if (signal !== undefined) addAbortSignal(signal, stream);
    for await (const piece of stream as AsyncIterable<Uint8Array>) {
      size += piece.length;
      if (size > MOST_PIPED) throw tooMuch(name);
      kept.push(piece);
    }
  } catch (cause) {
    throw cause instanceof SatyapanError ? cause : notToItsEnd(cause);
  }
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for (const piece of kept) yield await Promise.resolve(piece);
  };
  return { pieces, [Symbol.asyncDispose]: async () => await Promise.resolve() };
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

function tooMuch(name: string): SatyapanError {
  const message = `${name} has more than ${MOST_PIPED / 1_048_576} MiB, which is kept in memory: give a file by its name, or parts of it`;
  return new SatyapanError(ErrorCode.BAD_FILE, message);
}
