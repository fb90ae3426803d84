import { once } from "node:events";
import { open, stat, unlink } from "node:fs/promises";
import type { Writable } from "node:stream";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";

/** Characters that are written at once. */
const AT_ONCE = 65_536;

/**
 * Writes lines to a new file, which only its owner may read; `signal` ends it. Where not all of them could be written it is removed
 * again. Throws SatyapanError `bad-file`, also for a file that is there: it is not overwritten.
 */
export async function writeNewFile(path: string, lines: AsyncIterable<string>, signal: AbortSignal): Promise<void> {
  const isSpecial = await stat(path)
    .then((found) => !found.isFile() && !found.isDirectory())
    .catch(() => false);
  const file = await open(path, isSpecial ? "w" : "wx", 0o600).catch((cause: unknown) => {
    throw unwritable(path, cause);
  });
  let isWhole = false;
  try {
    for await (const text of inPieces(lines, signal)) await file.writeFile(text);
    if (!isSpecial) await file.sync();
    isWhole = true;
  } catch (cause) {
    throw cause instanceof SatyapanError ? cause : unwritable(path, cause);
  } finally {
    await file.close();
    if (!isWhole && !isSpecial) await unlink(path);
  }
}

/** Writes lines to a stream no faster than it takes them, until nobody reads it any more (`| head`). */
export async function writeLines(out: Writable, lines: AsyncIterable<string>, signal: AbortSignal): Promise<void> {
  try {
    for await (const text of inPieces(lines, signal)) {
      if (!out.write(text)) await once(out, "drain", { signal });
    }
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "EPIPE") return;
    throw cause;
  }
}

async function* inPieces(lines: AsyncIterable<string>, signal: AbortSignal): AsyncGenerator<string> {
  let text = "";
  for await (const line of lines) {
    if (signal.aborted) throw new SatyapanError(ErrorCode.INTERRUPTED, "stopped before all was written");
    text += line;
    if (text.length < AT_ONCE) continue;
    yield text;
    text = "";
  }
  if (text !== "") yield text;
}

function unwritable(path: string, cause: unknown): SatyapanError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unwritable";
  const why = WHY.get(code) ?? `cannot be written (${code})`;
  return new SatyapanError(ErrorCode.BAD_FILE, `the file ${path} ${why}`, { cause });
}

const WHY: ReadonlyMap<string, string> = new Map([
  ["EEXIST", "is there already: it is not overwritten, choose another name"],
  ["ENOENT", "cannot be made: its folder does not exist"],
  ["EACCES", "may not be written by this user"],
  ["ENOSPC", "cannot be written whole: the disk is full"],
]);
