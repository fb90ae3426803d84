import type { AuditKey } from "./key.ts";
import { readHeader } from "./header.ts";
import { type AuditLine, isReplaced, readLine, streamId } from "./line.ts";
import type { Mark } from "./log.ts";

/** A place where the log is not as it was written. `seq`: the entry, where one can be told. */
export interface AuditProblem {
  readonly kind:
    "altered" | "missing" | "inserted" | "swapped" | "missing-file" | "truncated" | "other-key" | "other-log";
  readonly file: string;
  /** From 1; 0: the file as a whole. */
  readonly line: number;
  readonly seq: number | null;
  /** One sentence that names the place. */
  readonly message: string;
}

/** Where an entry of the log is. */
export interface AuditPlace {
  readonly file: string;
  readonly line: number;
  readonly seq: number;
  /** Queue and id of the entry in its outbox. */
  readonly source: string;
}

/** What was no entry when it was chained; its digest is in its place. */
export interface ReplacedEntries {
  readonly count: number;
  readonly first: AuditPlace;
  readonly last: AuditPlace;
}

/** A line whose hash does not fit to the one before: what the next one fits to tells why. */
interface Suspect {
  readonly file: string;
  readonly line: number;
  readonly read: AuditLine;
  /** What its hash would be after the last good line. */
  readonly recomputed: string;
}

/**
 * Checks a chain line by line. It starts after `start`; with null, after what the first file's header says. Pure: what it
 * is fed comes from files, from Redis, or from a test.
 */
export class ChainCheck {
  readonly problems: AuditProblem[] = [];
  readonly #keys: ReadonlyMap<string, AuditKey>;
  #good: Mark | null;
  #suspect: Suspect | null = null;
  /** After a line that cannot be read at all: nothing is known of the hash that the next one follows. */
  #blind = false;
  #lastFile: string | null = null;
  #lastId: string | null = null;
  #first: number | null = null;
  #entries = 0;
  #replaced: ReplacedEntries | null = null;

  constructor(keys: readonly AuditKey[], start: Mark | null) {
    this.#keys = new Map(keys.map((key) => [key.id, key]));
    this.#good = start;
  }

  /** Lines that were seen. */
  get entries(): number {
    return this.#entries;
  }

  /** Null: none of those that were seen. */
  get replaced(): ReplacedEntries | null {
    return this.#replaced;
  }

  /** Number of the first entry that was seen; null: none. */
  get first(): number | null {
    return this.#first;
  }

  /** Stream id of the last entry that was seen; null: none. */
  get lastId(): string | null {
    return this.#lastId;
  }

  /** The last entry that was seen, or what the first has to follow. */
  get last(): Mark | null {
    return this.#suspect === null ? this.#good : { seq: this.#suspect.read.seq, hash: this.#suspect.read.hash };
  }

  /** The first line of a file. The previous file of the folder's oldest one may have been taken away on purpose. */
  header(file: string, text: string, isOldest: boolean): void {
    this.#settleSuspect();
    this.#blind = false;
    const header = readHeader(text);
    const lastFile = this.#lastFile;
    this.#lastFile = file;
    if (header === null) {
      this.report("altered", file, "its first line is not a file's header", null, 1);
      if (readLine(text) !== null) this.line(file, 1, text);
      return;
    }
    const key = this.#keys.get(header.keyId);
    if (key === undefined) return this.report("other-key", file, keyProblem(header.keyId), null, 1);
    if (!header.hashedBy(key) || header.file !== file) {
      return this.report("altered", file, "its first line, the header, was altered", null, 1);
    }
    const { previous, after } = header;
    const isBehind = this.#good !== null && this.#good.seq < after.seq;
    if (previous !== null && lastFile !== previous && !isOldest) {
      this.report("missing-file", previous, "this file is missing");
    } else if (this.#good !== null && isBehind && lastFile !== null) {
      const from = this.#good.seq + 1;
      this.report("truncated", lastFile, `its end is missing: ${range(from, after.seq)} gone`, from);
    }
    if (this.#good === null || this.#good.seq <= after.seq) this.#good = after;
  }

  line(file: string, line: number, text: string): void {
    this.#entries += 1;
    const read = readLine(text);
    if (read === null) {
      this.#settleSuspect();
      this.#blind = true;
      return this.report("altered", file, "this line is not an entry any more", this.#nextSeq(), line);
    }
    this.#first ??= read.seq;
    this.#lastId = streamId(read);
    if (isReplaced(read)) this.#noteReplaced({ file, line, seq: read.seq, source: read.source });
    if (!this.#keys.has(read.keyId)) {
      this.#settleSuspect();
      this.report("other-key", file, keyProblem(read.keyId), read.seq, line);
      this.#good = read;
      return;
    }
    const good = this.#blind ? null : this.#good;
    this.#blind = false;
    if (good === null || (read.seq === good.seq + 1 && this.#follows(read, good.hash))) return this.#fits(read);
    if (this.#explains(read)) {
      this.#settleSuspect();
      this.#good = read;
      return;
    }
    this.#settleSuspect();
    this.#suspect = { file, line, read, recomputed: this.#hash(read, this.#good?.hash ?? "") };
  }

  /** What was left open is decided now. */
  end(): void {
    this.#settleSuspect();
  }

  report(kind: AuditProblem["kind"], file: string, message: string, seq: number | null = null, line = 0): void {
    this.problems.push({ kind, file, line, seq, message });
  }

  #noteReplaced(last: AuditPlace): void {
    const { count, first } = this.#replaced ?? { count: 0, first: last };
    this.#replaced = { count: count + 1, first, last };
  }

  /** The line goes on after the last good one: so the suspect between them does not belong there. */
  #fits(read: AuditLine): void {
    const suspect = this.#suspect;
    this.#suspect = null;
    this.#good = read;
    if (suspect === null) return;
    if (suspect.read.seq === read.seq + 1 && this.#follows(suspect.read, read.hash)) {
      const message = `entry ${suspect.read.seq} stands before entry ${read.seq}`;
      this.#blame("swapped", suspect, message);
      this.#good = suspect.read;
    } else {
      const message = `the line that calls itself entry ${suspect.read.seq} was inserted`;
      this.#blame("inserted", suspect, message);
    }
  }

  /** Whether the line follows the suspect, either by the hash it shows or by the one it should have. */
  #explains(read: AuditLine): boolean {
    const suspect = this.#suspect;
    if (suspect === null || read.seq !== suspect.read.seq + 1) return false;
    return this.#follows(read, suspect.read.hash) || this.#follows(read, suspect.recomputed);
  }

  #settleSuspect(): void {
    const suspect = this.#suspect;
    if (suspect === null) return;
    this.#suspect = null;
    const { seq } = suspect.read;
    const expected = this.#nextSeq();
    if (seq > expected) this.#blame("missing", suspect, `before it ${range(expected, seq - 1)} missing`, expected);
    else if (seq === expected) this.#blame("altered", suspect, `entry ${seq} was altered`);
    else this.#blame("inserted", suspect, `the line that calls itself entry ${seq} was inserted`);
    if (seq >= expected) this.#good = suspect.read;
  }

  #nextSeq(): number {
    return (this.#good?.seq ?? 0) + 1;
  }

  #follows(read: AuditLine, previous: string): boolean {
    return this.#hash(read, previous) === read.hash;
  }

  #hash({ keyId, body }: AuditLine, previous: string): string {
    return this.#keys.get(keyId)?.hash(previous, body) ?? "";
  }

  #blame(kind: AuditProblem["kind"], { file, line, read }: Suspect, message: string, seq = read.seq): void {
    this.report(kind, file, message, seq, line);
  }
}

function range(from: number, to: number): string {
  return from === to ? `entry ${from} is` : `entries ${from} to ${to} are`;
}

function keyProblem(id: string): string {
  return `chained with another key (id ${id}): give the subject key of that time`;
}
