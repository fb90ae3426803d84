import { type FileHandle, open, unlink } from "node:fs/promises";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { csvLine } from "../files/csv-line.ts";
import type { ImportedRow } from "./import-file.ts";

/** Characters that are written at once. */
const AT_ONCE = 65_536;
const MOST_NAMES = 100;

/**
 * The bad rows of a file as they stand in it, ready to mend, in a file beside it that only its owner may read and that no other is
 * lost for. It holds persons' numbers, as the file does that it was made of.
 */
export class BadRowsFile implements AsyncDisposable {
  readonly path: string;
  readonly #file: FileHandle;
  #text = "";
  #hasHeader = false;
  #isKept = false;

  private constructor(path: string, file: FileHandle) {
    this.path = path;
    this.#file = file;
  }

  /** `source`: the file's path; null: standard input. */
  static async create(source: string | null): Promise<BadRowsFile> {
    const whole = (source ?? "stdin.csv").replace(/\.gz$/i, "");
    const [, stem = whole, ending = ""] = /^(.+?)(\.[A-Za-z]+)?$/.exec(whole) ?? [];
    for (let number = 1; number <= MOST_NAMES; number++) {
      const path = `${stem}.bad${number === 1 ? "" : `-${number}`}${ending}`;
      try {
        return new BadRowsFile(path, await open(path, "wx", 0o600));
      } catch (cause) {
        if (!isThere(cause)) throw unwritable(path, cause);
      }
    }
    throw new SatyapanError(ErrorCode.BAD_FILE, `there are ${MOST_NAMES} files like ${stem}.bad${ending}: remove some`);
  }

  async add({ source, columns }: ImportedRow): Promise<void> {
    const { headerLine, cells } = source;
    if (headerLine === null) {
      const names = columns.map(({ name }) => name);
      this.#text += `${JSON.stringify(Object.fromEntries(names.map((name, index) => [name, cells[index]])))}\n`;
    } else {
      if (!this.#hasHeader) this.#text += `\uFEFF${csvLine(columns.map(({ name }) => name))}`;
      this.#hasHeader = true;
      const texts = columns.map((_, index) => cells[index]);
      this.#text += csvLine(texts.map((cell) => (typeof cell === "string" ? cell : "")));
    }
    if (this.#text.length > AT_ONCE) await this.#write();
  }

  /** Writes what is left; all is on the disk then. */
  async flush(): Promise<void> {
    await this.#write();
    try {
      await this.#file.sync();
    } catch (cause) {
      throw unwritable(this.path, cause);
    }
  }

  /** The others were accepted: from now on the file stays, with which it goes again otherwise. */
  keep(): void {
    this.#isKept = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
    if (!this.#isKept) await unlink(this.path);
  }

  async #write(): Promise<void> {
    try {
      await this.#file.writeFile(this.#text);
    } catch (cause) {
      throw unwritable(this.path, cause);
    }
    this.#text = "";
  }
}

function isThere(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "EEXIST";
}

function unwritable(path: string, cause: unknown): SatyapanError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unwritable";
  const message = `the bad rows cannot be written to ${path} (${code}); nothing was accepted`;
  return new SatyapanError(ErrorCode.BAD_FILE, message, { cause });
}
