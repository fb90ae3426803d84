import { ErrorCode, SatyapanError } from "../../src/base/error.ts";

/** How a file begins that is a spreadsheet's own (.xlsx and .ods are zip archives, .xls is older). */
const BOOKS = ["504b0304", "d0cf11e0"];

/** The longest of these and of the byte order marks, in bytes. */
const SIGNATURE = 4;

/** The longest line that is read, and the longest row of a CSV file, in characters: a person's row has some hundred. */
export const MOST_LINE = 1_048_576;

/**
 * The text of a file that somebody saved, piece by piece: UTF-8, or UTF-16 with its byte order mark; the mark is left out,
 * and all line ends are "\n".
 * @throws SatyapanError `bad-file` naming the line, for everything else
 */
export async function* decodeText(path: string, content: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const lines = new CheckedLines(path);
  let head: Buffer = Buffer.alloc(0);
  let decoder: InstanceType<typeof TextDecoder> | null = null;
  for await (const bytes of content) {
    let piece: Uint8Array = bytes;
    if (decoder === null) {
      head = Buffer.concat([head, bytes]);
      if (head.length < SIGNATURE) continue;
      decoder = decoderOf(path, head, lines);
      piece = head;
    }
    yield lines.check(decoder.decode(piece, { stream: true }));
  }
  const [last, rest] = decoder === null ? [decoderOf(path, head, lines), head] : [decoder, Buffer.alloc(0)];
  yield lines.check(last.decode(rest), true);
}

function decoderOf(path: string, head: Buffer, lines: CheckedLines): InstanceType<typeof TextDecoder> {
  if (BOOKS.includes(head.subarray(0, SIGNATURE).toString("hex"))) {
    throw badFile(path, null, "is a spreadsheet's own file or a zip archive, and no text: export it as CSV UTF-8");
  }
  const [first, second] = head;
  const wide = first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : null;
  lines.encoding = wide === null ? "UTF-8" : "UTF-16";
  return new TextDecoder(wide ?? "utf-8");
}

/** Knows which line a piece of text begins in. */
class CheckedLines {
  encoding = "UTF-8";
  readonly #path: string;
  #line = 1;
  /** Characters of the line that has not ended yet. */
  #open = 0;
  /** A "\r" at the end of a piece may be the first half of a line's end. */
  #held = "";

  constructor(path: string) {
    this.#path = path;
  }

  /** The piece with its line ends made one. Throws for NUL characters, and for what could not be decoded. */
  check(piece: string, isLast = false): string {
    let text = this.#held + piece;
    this.#held = !isLast && text.endsWith("\r") ? "\r" : "";
    text = text.slice(0, text.length - this.#held.length);
    if (text.includes("\r")) text = text.replaceAll(/\r\n?/g, "\n");
    const nul = text.indexOf("\0");
    if (nul !== -1) {
      const what = "holds a NUL character: it is no text, or UTF-16 without its mark; save it as CSV UTF-8";
      throw badFile(this.#path, this.#line + newlines(text.slice(0, nul)), what);
    }
    const unread = text.indexOf("\uFFFD");
    if (unread !== -1) {
      const what = `is not ${this.encoding}; save the file as such (in a spreadsheet: CSV UTF-8)`;
      throw badFile(this.#path, this.#line + newlines(text.slice(0, unread)), what);
    }
    const end = text.lastIndexOf("\n");
    this.#open = end === -1 ? this.#open + text.length : text.length - end - 1;
    this.#line += newlines(text);
    if (this.#open > MOST_LINE) throw badFile(this.#path, this.#line, TOO_LONG);
    return text;
  }
}

const TOO_LONG = `has more than ${MOST_LINE} characters: it is no table of persons, or its line ends are missing`;

export function badFile(path: string, line: number | null, what: string): SatyapanError {
  const where = line === null ? `${path} ` : `${path} line ${line}: `;
  return new SatyapanError(ErrorCode.BAD_FILE, `${where}${what}`);
}

export function newlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) count++;
  return count;
}
