import { Readable } from "node:stream";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { readTable, type TableRow } from "../files/read-table.ts";
import { openTwice, pipedTwice } from "../files/twice-read.ts";

/** A file by its path, or its bytes as they come. */
export type FileSource = string | AsyncIterable<Uint8Array>;

export interface OpenTable {
  /** As errors name it. */
  readonly name: string;
  /** The same rows each time. Throws SatyapanError `bad-file` for what is no table. */
  readonly table: () => AsyncIterable<TableRow>;
}

export interface OpenTableOptions {
  /** What bytes are called that have no path, such as `standard input`. */
  readonly called: string;
  /** Where much of what streams in is kept, sealed, until it was read twice. */
  readonly tmpDir: string;
  /** Aborted, SatyapanError `interrupted`. */
  readonly signal: AbortSignal;
}

/** The rows of a file, which may be gone through more than once; closed with `stack`. */
export async function openTable(
  source: FileSource,
  { called, tmpDir, signal }: OpenTableOptions,
  stack: AsyncDisposableStack,
): Promise<OpenTable> {
  const [path, name] = typeof source === "string" ? [source, source] : [null, called];
  const opening =
    typeof source === "string"
      ? openTwice(source, tmpDir, signal)
      : pipedTwice(source instanceof Readable ? source : Readable.from(source), tmpDir, signal, name);
  const content = stack.use(await opening);
  return { name, table: () => readTable(path, untilStopped(content.pieces(), signal), name) };
}

/** Also of a file in which for long there is no row. */
async function* untilStopped(pieces: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    if (signal.aborted) throw new SatyapanError(ErrorCode.INTERRUPTED, "stopped; nothing was accepted");
    yield piece;
  }
}
