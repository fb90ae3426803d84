import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type KeyObject,
  randomBytes,
  randomUUID,
} from "node:crypto";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";

const CIPHER = "aes-256-gcm";
const NONCE = 12;
const TAG = 16;

/**
 * Bytes that are too many for memory, in a file that has no name any more and that nobody can read but this process: its
 * key is made here and is never written.
 */
export class SealedSpill implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #folder: string;
  readonly #key: KeyObject = createSecretKey(randomBytes(32));
  /** Where each piece begins in the file, and after them where the next one will. */
  readonly #ends: number[] = [0];

  private constructor(file: FileHandle, folder: string) {
    this.#file = file;
    this.#folder = folder;
  }

  static async open(folder: string): Promise<SealedSpill> {
    const path = join(folder, `satyapan-${randomUUID()}`);
    try {
      const file = await open(path, "wx+", 0o600);
      await unlink(path);
      return new SealedSpill(file, folder);
    } catch (cause) {
      throw noRoom(folder, cause);
    }
  }

  async add(piece: Uint8Array): Promise<void> {
    const cipher = createCipheriv(CIPHER, this.#key, this.#nonce(this.#ends.length - 1));
    const sealed = Buffer.concat([cipher.update(piece), cipher.final(), cipher.getAuthTag()]);
    let at = this.#ends.at(-1) ?? 0;
    try {
      for (let written = 0; written < sealed.length;) {
        const { bytesWritten } = await this.#file.write(sealed, written, sealed.length - written, at + written);
        written += bytesWritten;
      }
    } catch (cause) {
      throw noRoom(this.#folder, cause);
    }
    at += sealed.length;
    this.#ends.push(at);
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    for (let index = 0; index + 1 < this.#ends.length; index++) {
      const [from = 0, to = 0] = this.#ends.slice(index, index + 2);
      const sealed = Buffer.allocUnsafe(to - from);
      await this.#file.read(sealed, 0, sealed.length, from);
      const decipher = createDecipheriv(CIPHER, this.#key, this.#nonce(index));
      decipher.setAuthTag(sealed.subarray(-TAG));
      yield Buffer.concat([decipher.update(sealed.subarray(0, -TAG)), decipher.final()]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  /** The key seals one list of pieces: their places are nonces enough. */
  #nonce(index: number): Buffer {
    const nonce = Buffer.alloc(NONCE);
    nonce.writeUInt32BE(index, NONCE - 4);
    return nonce;
  }
}

function noRoom(folder: string, cause: unknown): SatyapanError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unwritable";
  const message = `what is piped in is kept in ${folder}, sealed, until it was read twice, and that cannot be written (${code}): give a file by its name, or set TMPDIR to a folder with room`;
  return new SatyapanError(ErrorCode.BAD_FILE, message, { cause });
}
