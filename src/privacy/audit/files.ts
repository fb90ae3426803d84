import { randomUUID } from "node:crypto";
import { type FileHandle, open, rm, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import type { RedisClient } from "../../redis/connection.ts";
import { hasCode } from "../../base/error-code.ts";
import { auditBroken } from "./broken.ts";
import { auditFiles, claimFolder, endOf, fileNameOf, syncFolder } from "./folder.ts";
import { makeHeader } from "./header.ts";
import type { AuditKey } from "./key.ts";
import { type AuditLine, readLine, streamId } from "./line.ts";
import type { Block } from "./block.ts";
import { unwritable } from "./unwritable.ts";
import { AuditLog, type Head, type Mark } from "./log.ts";

/** Blocks of the chain at once: together some MB at most. */
const BLOCKS = 10;
/** The silence after which a writer is taken for dead, in ms: another goes on. */
const LEASE_MS = 15_000;

export interface AuditFilesDeps {
  readonly redis: RedisClient;
  readonly key: AuditKey;
  readonly dir: string;
  /** Hears what was mended: it has to be looked into. */
  readonly onMended: (what: string) => void;
  readonly leaseMs?: number;
}

interface OpenFile {
  readonly name: string;
  readonly handle: FileHandle;
  readonly size: number;
}

/** Where the files end. */
interface Position extends Mark {
  readonly chain: string;
  readonly folder: string;
  /** Stream id of the last entry; `0` before the first. */
  readonly id: string;
  /** The file it is in, and how long that is; null: there is none yet. */
  readonly file: OpenFile | null;
}

/** Lines of one day, and where the chain stands after them. */
interface Part extends Mark {
  readonly name: string;
  readonly lines: readonly string[];
  readonly id: string;
}

/**
 * Follows the log into files, one per day. One writer per folder, by a lease. What a line is and where it stands follows
 * from the log alone, and it is written at its place instead of at the end: a writer that is killed, or stopped and goes on
 * too late, can at worst write the same bytes once more.
 */
export class AuditFiles implements AsyncDisposable {
  readonly #deps: AuditFilesDeps;
  readonly #log: AuditLog;
  readonly #token = randomUUID();
  readonly #leaseMs: number;
  #position: Position | null = null;
  #leasedAt = Number.NEGATIVE_INFINITY;

  constructor(deps: AuditFilesDeps) {
    this.#deps = deps;
    this.#log = new AuditLog(deps.redis);
    this.#leaseMs = deps.leaseMs ?? LEASE_MS;
  }

  /**
   * Writes what is new, one block. `away`: another writer has the folder.
   * @throws SatyapanError `audit-broken` where files and log do not fit together: nothing was written then; `bad-file` where
   * nothing can be written
   */
  async step(): Promise<"more" | "idle" | "away"> {
    try {
      return await this.#step();
    } catch (error) {
      throw unwritable(this.#deps.dir, error);
    }
  }

  async #step(): Promise<"more" | "idle" | "away"> {
    const position = this.#position ?? (await this.#open());
    if (position === null) return "away";
    this.#position = position;
    const blocks = await this.#log.after(position.id, BLOCKS);
    // So that it is known to live, also when there is nothing to write.
    if (blocks.length === 0) return performance.now() - this.#leasedAt < this.#leaseMs / 3 ? "idle" : this.#renew();
    if (!(await this.#log.lease(position.folder, this.#token, this.#leaseMs))) return await this.#leave();
    if (!(await this.#isAsLeft(position))) {
      await this.#leave();
      return "more"; // all is looked at afresh
    }
    try {
      this.#position = await this.#write(position, blocks);
    } catch (error) {
      await this.#leave(); // a full disk: what is half written is cut off before it is written again
      throw error;
    }
    if ((await this.#note(this.#position)) === "away") return "away";
    return blocks.length === BLOCKS ? "more" : "idle";
  }

  async close(): Promise<void> {
    const folder = this.#position?.folder;
    await this.#leave();
    if (folder !== undefined) await this.#log.release(folder, this.#token);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #renew(): Promise<"idle" | "away"> {
    return this.#position === null ? "away" : await this.#note(this.#position);
  }

  /** Also keeps the lease. */
  async #note({ folder, id }: Position): Promise<"idle" | "away"> {
    this.#leasedAt = performance.now();
    return (await this.#log.filed(folder, this.#token, this.#leaseMs, id)) ? "idle" : await this.#leave();
  }

  async #leave(): Promise<"away"> {
    const handle = this.#position?.file?.handle;
    this.#position = null;
    await handle?.close();
    return "away";
  }

  /** Somebody may have written while this process stood still, or taken the file away. */
  async #isAsLeft({ file }: Position): Promise<boolean> {
    return file === null || (await sizeOf(join(this.#deps.dir, file.name))) === file.size;
  }

  async #open(): Promise<Position | null> {
    const { dir, key } = this.#deps;
    const head = await this.#log.head();
    const { folder, chain } = await claimFolder(dir, head.chain);
    if (chain !== head.chain) {
      throw auditBroken(`${dir} holds the files of another log than that in Redis: give AUDIT_DIR a new folder`);
    }
    if (head.keyId !== null && head.keyId !== key.id) return null; // the chain says so
    if (!(await this.#log.lease(folder, this.#token, this.#leaseMs))) return null;
    this.#leasedAt = performance.now();
    for (const name of (await auditFiles(dir)).toReversed()) {
      const path = join(dir, name);
      const { size, whole, lastLine } = await endOf(path);
      if (lastLine === null) {
        await rm(path); // killed before its first entry was whole
        continue;
      }
      const last = readLine(lastLine);
      if (last === null) throw auditBroken(`the last whole line of ${path} is no entry`);
      await this.#check(path, lastLine, last, head, head.filed.get(folder)?.seq ?? 0);
      if (whole < size) await truncate(path, whole);
      const file = { name, handle: await open(path, "r+"), size: whole };
      return { chain, folder, seq: last.seq, hash: last.hash, id: streamId(last), file };
    }
    if (head.filed.has(folder))
      this.#deps.onMended(`the files in ${dir} are gone: written again, as far as Redis has them`);
    return { chain, folder, ...head.base, id: "0", file: null };
  }

  /** Whether the log goes on where this file ends. */
  async #check(path: string, text: string, last: AuditLine, head: Head, filed: number): Promise<void> {
    const { seq, hash } = last;
    const found = await this.#log.has(streamId(last), text);
    const isTrimmed = found === null && head.base.seq === seq && head.base.hash === hash;
    if (found !== true && !isTrimmed) {
      const why =
        found !== null
          ? `entry ${seq} in ${path} is not the one in Redis`
          : seq > head.seq
            ? `${path} ends with entry ${seq}, Redis with ${head.seq}: Redis was put back from an older copy`
            : `what follows entry ${seq} in ${path} is no longer in Redis`;
      throw auditBroken(`${why}; keep that folder as it is, and give AUDIT_DIR a new one`);
    }
    if (filed > seq) this.#deps.onMended(`${path} ended with entry ${seq}, though ${filed} had been written: again`);
  }

  async #write(position: Position, blocks: readonly Block[]): Promise<Position> {
    let at = position;
    for (const part of this.#parts(position, blocks)) {
      const isNew = part.name !== at.file?.name;
      const file = at.file === null || isNew ? await this.#begin(part.name, at.file?.handle) : at.file;
      const header = { chain: at.chain, file: part.name, previous: at.file?.name ?? null, after: at };
      const lines = isNew ? [makeHeader(this.#deps.key, header), ...part.lines] : part.lines;
      const bytes = Buffer.from(`${lines.join("\n")}\n`);
      await writeAt(file.handle, bytes, file.size);
      await file.handle.datasync();
      if (isNew) await syncFolder(this.#deps.dir);
      at = { ...at, seq: part.seq, hash: part.hash, id: part.id, file: { ...file, size: file.size + bytes.length } };
      this.#position = at;
    }
    return at;
  }

  async #begin(name: string, before: FileHandle | undefined): Promise<OpenFile> {
    await before?.close();
    return { name, handle: await open(join(this.#deps.dir, name), "wx", 0o600), size: 0 };
  }

  /** By day. Throws SatyapanError `audit-broken` where the log does not go on with the next entry. */
  #parts(position: Mark, blocks: readonly Block[]): Part[] {
    const parts: { name: string; lines: string[]; id: string; seq: number; hash: string }[] = [];
    let before: Mark = position;
    for (const [index, block] of blocks.entries()) {
      // The files may have its beginning: a writer was killed in the middle of it.
      const lines = index === 0 ? block.lines.filter((line) => (readLine(line)?.seq ?? 0) > position.seq) : block.lines;
      const [first, last] = [readLine(lines[0] ?? ""), readLine(lines.at(-1) ?? "")];
      if (first === null || last === null || first.seq !== before.seq + 1 || last.seq - before.seq !== lines.length) {
        throw auditBroken(
          `the log in Redis does not go on after entry ${before.seq}: what follows it was altered or lost`,
        );
      }
      // The others of a block are `verify`'s; this one tells whether Redis holds another past than the files.
      const { key } = this.#deps;
      if (first.keyId === key.id && key.hash(before.hash, first.body) !== first.hash) {
        throw auditBroken(`entry ${first.seq} of the log in Redis does not follow entry ${before.seq} of the files`);
      }
      const name = fileNameOf(last.chained);
      const part = parts.at(-1);
      const end = { id: block.id, seq: last.seq, hash: last.hash };
      if (part?.name === name) Object.assign(part, { lines: [...part.lines, ...lines], ...end });
      else parts.push({ name, lines: [...lines], ...end });
      before = last;
    }
    return parts;
  }
}

async function writeAt(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return null;
    throw error;
  }
}
