import type { Stats } from "node:fs";
import { createReadStream } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { createGunzip } from "node:zlib";
import { ErrorCode, SatyapanError } from "../../base/error.ts";
import type { Finding } from "../../secrets/found.ts";
import { integersIn, unpackAll } from "./packed.ts";
import type { Scanner } from "./scanner.ts";

/** Read at once, in bytes. */
const CHUNK = 4 << 20;
/** Longest compressed text of a dump that is looked into, in bytes. */
const LONGEST_PACKED = 1 << 20;

export interface FileCounts {
  readonly files: number;
  readonly bytes: number;
  /** What was in a given folder and could not be read, with the reason's code. */
  readonly unreadable: readonly string[];
}

export interface FileScanOptions {
  readonly scanner: Scanner;
  readonly onFinding: (finding: Finding) => void;
}

/**
 * Looks through files of any size in pieces: AOFs, logs, whatever is given; of a Redis dump (RDB, also the first part of an
 * AOF) also what is packed in it, and of `.gz` files what they hold.
 */
export class FileScan {
  readonly #scanner: Scanner;
  readonly #onFinding: (finding: Finding) => void;
  #files = 0;
  #bytes = 0;
  readonly #unreadable: string[] = [];

  constructor({ scanner, onFinding }: FileScanOptions) {
    this.#scanner = scanner;
    this.#onFinding = onFinding;
  }

  get counts(): FileCounts {
    return { files: this.#files, bytes: this.#bytes, unreadable: this.#unreadable };
  }

  /**
   * A file, or all that is in a folder (links in it are not followed).
   * @throws SatyapanError `bad-file` where it cannot be read
   */
  async path(path: string): Promise<void> {
    try {
      const stats = await stat(path);
      if (stats.isDirectory()) await this.#folder(path);
      else await this.#file(path, stats);
    } catch (cause) {
      if (codeOf(cause) === null) throw cause;
      throw new SatyapanError(ErrorCode.BAD_FILE, `${this.#scanner.hide(path)} cannot be read: ${codeOf(cause)}`, {
        cause,
      });
    }
  }

  async #folder(folder: string): Promise<void> {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      try {
        if (entry.isDirectory()) await this.#folder(path);
        else if (entry.isFile()) await this.#file(path, await stat(path));
      } catch (error) {
        if (codeOf(error) === null) throw error;
        if (codeOf(error) !== "ENOENT") this.#unreadable.push(`${this.#scanner.hide(path)}: ${codeOf(error)}`);
      }
    }
  }

  async #file(path: string, stats: Stats): Promise<void> {
    // A socket or a pipe has no content, and would be waited for.
    if (!stats.isFile()) return;
    this.#files++;
    this.#report(path, 0, this.#scanner.find(Buffer.from(path).toString("latin1")), "the name of ");
    const head = await headOf(path);
    const isZipped = head[0] === 0x1f && head[1] === 0x8b;
    // A stream takes a buffer of this size, also for a small file.
    const highWaterMark = Math.min(CHUNK, stats.size + 1);
    const bytes = createReadStream(path, { highWaterMark });
    await this.#stream(path, isZipped ? bytes.pipe(createGunzip()) : bytes, head.toString("latin1") === "REDIS");
  }

  async #stream(path: string, chunks: AsyncIterable<Buffer>, isDump: boolean): Promise<void> {
    const reach = isDump ? LONGEST_PACKED : this.#scanner.reach;
    let window: Buffer = Buffer.alloc(0);
    let start = 0;
    let low = 0;
    const look = (high: number): void => {
      this.#window(path, window, start, { low, high }, isDump);
      low = high;
    };
    for await (const chunk of chunks) {
      this.#bytes += chunk.length;
      // What is near the end is looked at with what comes after it, and what is before it still shows.
      const kept = window.subarray(Math.max(0, window.length - 2 * reach));
      start += window.length - kept.length;
      window = Buffer.concat([kept, chunk]);
      look(Math.max(low, start + window.length - reach));
    }
    look(start + window.length + 1);
  }

  /** Reports what begins from `low` to before `high`, in bytes of the file. */
  #window(
    path: string,
    window: Buffer,
    start: number,
    { low, high }: { readonly low: number; readonly high: number },
    isDump: boolean,
  ): void {
    const isNew = (at: number): boolean => start + at >= low && start + at < high;
    const found = this.#scanner.find(window.toString("latin1")).filter(({ at }) => isNew(at));
    this.#report(path, start, found);
    if (!isDump) return;
    this.#integers(path, window, start, isNew);
    const from = Math.max(0, low - start);
    for (const { at, bytes } of unpackAll(window.subarray(from), high - start - from)) {
      const place = start + from + at;
      this.#report(
        path,
        place,
        this.#scanner.find(bytes.toString("latin1")).map((one) => ({ ...one, at: 0 })),
      );
      this.#integers(path, bytes, place, () => true, true);
    }
  }

  #integers(path: string, bytes: Buffer, start: number, isNew: (at: number) => boolean, isPacked = false): void {
    for (const { at, text } of integersIn(bytes)) {
      if (isNew(at))
        this.#report(
          path,
          start,
          this.#scanner.find(text).map((one) => ({ ...one, at: isPacked ? 0 : at })),
        );
    }
  }

  #report(path: string, start: number, found: ReturnType<Scanner["find"]>, before = ""): void {
    for (const { kind, what, shown, at } of found) {
      const place = before === "" ? `${this.#scanner.hide(path)}:${start + at}` : before + this.#scanner.hide(path);
      this.#onFinding({ source: "file", place, kind, what, shown });
    }
  }
}

async function headOf(path: string): Promise<Buffer> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(5), 0, 5, 0);
  return buffer.subarray(0, bytesRead);
}

/** The code of a system's error, for example ENOENT; null for any other error. */
function codeOf(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}
