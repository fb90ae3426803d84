import { addAbortSignal } from "node:stream";
import { text } from "node:stream/consumers";
import type { CommandContext } from "../../src/command/context.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { isTerminal, type Terminal, TypedLines } from "./typed-lines.ts";

type InputContext = Pick<CommandContext, "stdin" | "readFile" | "signal">;

/** `--input`: JSON, `@FILE`, or `-` for standard input. Throws SatyapanError without quoting what it read. */
export async function readInput(source: string, context: InputContext): Promise<unknown> {
  const from = source === "-" ? "standard input" : source.startsWith("@") ? `the file ${source.slice(1)}` : "--input";
  let json = source;
  if (source === "-") json = await readAll(context);
  else if (source.startsWith("@")) json = readNamed(source.slice(1), context.readFile);
  try {
    return JSON.parse(json.replace(/^\uFEFF/, "")) as unknown;
  } catch {
    // The parser's own message quotes the text, which may hold a person's number.
    const message = `${from} is not valid JSON; it must be an object such as {"mobile":"…"}, in a shell within single quotes`;
    throw new SatyapanError(ErrorCode.BAD_INPUT, message);
  }
}

/** A file's content, or a SatyapanError that names it. */
export function readNamed<Content>(path: string, readFile: (path: string) => Content): Content {
  try {
    return readFile(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

export function unreadable(path: string, cause: unknown): SatyapanError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unreadable";
  const why = WHY.get(code) ?? `cannot be read (${code})`;
  return new SatyapanError(ErrorCode.BAD_FILE, `the file ${path} ${why}`, { cause });
}

const WHY: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "does not exist"],
  ["EISDIR", "is a folder"],
  ["ENOTDIR", "is no folder, or lies in none"],
  ["EACCES", "may not be read by this user"],
]);

/** Standard input, to its end. Ctrl-C ends the reading, too. */
async function readAll({ stdin, signal }: InputContext): Promise<string> {
  try {
    return await text(addAbortSignal(signal, stdin));
  } catch (cause) {
    throw notToItsEnd(cause);
  }
}

/** The longest line that is looked for, in characters: nobody's code or number is longer. */
const LONGEST_LINE = 1_000;

/**
 * The first line of standard input, without blanks around it; what comes after it is not waited for. Ctrl-C ends it. Somebody who types
 * it is asked for `what`, and sees none of its digits.
 */
export async function readLine(
  { stdin, stderr, signal }: InputContext & Pick<CommandContext, "stderr">,
  what: string,
): Promise<string> {
  if (isTerminal(stdin)) return await typedLine(stdin, stderr, signal, what);
  let line = "";
  try {
    for await (const chunk of addAbortSignal(signal, stdin)) {
      line += String(chunk);
      if (line.includes("\n") || line.length > LONGEST_LINE) break;
    }
  } catch (cause) {
    throw notToItsEnd(cause);
  }
  return line.split("\n", 1)[0]?.trim() ?? "";
}

async function typedLine(
  stdin: Terminal,
  stderr: CommandContext["stderr"],
  signal: AbortSignal,
  what: string,
): Promise<string> {
  using lines = new TypedLines(stdin, stderr.isTTY === true ? stderr : null, signal);
  stderr.write(`${what}: `);
  const line = await lines.next();
  if (line === null) throw new SatyapanError(ErrorCode.INTERRUPTED, `nothing was done: no ${what} was typed`);
  return line.trim();
}

export function notToItsEnd(cause: unknown, name = "standard input"): SatyapanError {
  return new SatyapanError(ErrorCode.BAD_INPUT, `${name} was not read to its end`, { cause });
}
