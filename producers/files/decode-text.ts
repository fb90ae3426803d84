import { ErrorCode, SatyapanError } from "../../src/base/error.ts";

/** How a file begins that is a spreadsheet's own (.xlsx and .ods are zip archives, .xls is older). */
const BOOKS = ["504b0304", "d0cf11e0"];

/**
 * The text of a file that somebody saved: UTF-8, or UTF-16 with its byte order mark; the mark is left out.
 * @throws SatyapanError `bad-file` naming the line, for everything else
 */
export function decodeText(path: string, bytes: Uint8Array): string {
  if (BOOKS.includes(Buffer.from(bytes.subarray(0, 4)).toString("hex"))) {
    throw badFile(path, null, "is a spreadsheet's own file and no text: export it as CSV UTF-8");
  }
  const [first, second] = bytes;
  const wide = first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : null;
  return checkText(path, new TextDecoder(wide ?? "utf-8").decode(bytes), wide === null ? "UTF-8" : "UTF-16");
}

/** @throws SatyapanError `bad-file` for text with NUL characters, or with characters that could not be read */
export function checkText(path: string, text: string, encoding = "UTF-8"): string {
  const nul = text.indexOf("\0");
  if (nul !== -1) {
    const what = "holds a NUL character: it is no text, or UTF-16 without its mark; save it as CSV UTF-8";
    throw badFile(path, lineAt(text, nul), what);
  }
  const unread = text.indexOf("\uFFFD");
  if (unread !== -1) {
    throw badFile(
      path,
      lineAt(text, unread),
      `is not ${encoding}; save the file as such (in a spreadsheet: CSV UTF-8)`,
    );
  }
  return text.replace(/^\uFEFF/, "");
}

export function badFile(path: string, line: number | null, what: string): SatyapanError {
  const where = line === null ? `${path} ` : `${path} line ${line}: `;
  return new SatyapanError(ErrorCode.BAD_FILE, `${where}${what}`);
}

/** From 1. */
function lineAt(text: string, index: number): number {
  return (text.slice(0, index).match(/\r\n|\n|\r/g)?.length ?? 0) + 1;
}
